"""What the browser tests do on the studio's page."""

from importlib.resources import files


def make_class(page, name):
    page.fill("#class-name", name)
    page.press("#class-name", "Enter")
    page.wait_for_selector(f'[data-class="{name}"]')


def give_files(page, name, files):
    page.locator(f'[data-class="{name}"] input[type=file]').set_input_files(
        [{"name": file, "mimeType": "image/png", "buffer": content} for file, content in files]
    )


def wait_for_count(page, count):
    page.wait_for_selector(f'body[data-count="{count}"]')


def listing(tmp_path):
    root = tmp_path / "photos"
    return sorted(path.relative_to(root).as_posix() for path in root.glob("[!.]*/*"))


def train(page, seed):
    page.click('[data-step="train"]')
    page.fill("#most-epochs", "2")
    page.fill("#seed", str(seed))
    before = int(page.get_attribute("body", "data-attempts"))
    page.click("#start-train")
    page.wait_for_selector(f'body[data-attempts="{before + 1}"]')
    page.wait_for_selector("#result .headline")


def headline(page):
    return page.inner_text("#result .headline")


def find_serious(page):
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (rule["id"], [node["html"] for node in rule["nodes"]][:3])
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
