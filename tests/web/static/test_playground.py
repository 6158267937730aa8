"""The playground, as people use it."""

import json

import pytest

pytestmark = pytest.mark.browser


def test_the_playground_trains_and_compares(open_page, draw):
    page = open_page("epochs=3")
    filters = page.locator("#layers input").first
    filters.fill("6")
    page.locator("#layers .told b", has_text="6×6×6").first.wait_for()
    assert "3,320 parameters" in page.inner_text("#sums")
    page.click("#train-both")
    page.wait_for_selector("body[data-attempts='2']", timeout=120_000)
    assert page.locator("#curve .curve").count() == 2
    rows = page.locator("#attempts tr")
    assert rows.count() == 3
    assert "/ 252" in rows.nth(1).inner_text()
    assert "MLP 2" in page.inner_text("#verdict") and "p = " in page.inner_text("#verdict")
    draw(page)
    page.wait_for_selector("#both figure:first-child li:nth-child(4).best")
    rows.nth(2).get_by_role("button").click()
    page.wait_for_selector("#look-back:not([hidden])")
    page.locator(".layer:nth-child(3) .shape", has_text="6×6×6").wait_for()


def test_a_training_says_how_long_it_takes_before_it_starts(open_page):
    page = open_page("epochs=20")
    told = page.evaluate("fetch('page/models/digits').then((found) => found.json())")
    seconds = 20 * told["pace"]["seconds"] / told["pace"]["epochs"]
    page.wait_for_selector("#estimate:not(:empty)")
    estimate = page.inner_text("#estimate")
    assert "for 20 epochs, by the pace of your model's own training." in estimate
    if 2 <= seconds < 9:
        assert f"about {seconds:.0f} seconds" in estimate
    page.fill("#epochs", "")
    page.fill("#epochs", "2")
    page.locator("#estimate", has_text="for 2 epochs").wait_for()
    page.click("#train")
    page.wait_for_selector("#estimate:empty", state="attached")
    page.wait_for_selector("body[data-attempts='1']", timeout=120_000)
    page.locator("#estimate", has_text="by the pace of the last one").wait_for()


PACE = """async () => {
  const {Pace, roundSeconds} = await import("/static/pace.js");
  const pace = {seconds: 60, epochs: 3, train: 20000, compile_seconds: 9};
  const known = new Pace({network: {multiply_adds: 1000}, pace});
  const unknown = new Pace({network: {multiply_adds: 1000}, pace: null});
  const network = {multiply_adds: 2000};
  return [known.seconds(network, 5), unknown.seconds(network, 5),
          [0.2, 7.4, 32, 200, 5400].map(roundSeconds)];
}"""


def test_a_pace_grows_with_epochs_and_multiply_adds_up_to_the_most_images(open_page):
    # Three epochs of 20,000 images in 60 s are 10 s for 10,000, and 20 s at twice the work.
    assert open_page().evaluate(PACE) == [
        5 * 20,
        None,
        [["second", 1], ["seconds", 7], ["seconds", 30], ["minutes", 3], ["hours", 1.5]],
    ]


def test_what_a_training_waits_for_is_told(open_page):
    page = open_page("epochs=1")
    waits = [
        {"event": "waiting", "for": "process"},
        {"event": "waiting", "for": "trainings", "ahead": 2},
        {"event": "cancelled"},
    ]
    body = "".join(f"data: {json.dumps(wait)}\n\n" for wait in waits)
    told = {"body": body, "content_type": "text/event-stream"}
    page.route("**/attempts/*/events*", lambda route: route.fulfill(**told))
    page.evaluate("""() => {
      const place = document.getElementById("training-status");
      window.told = [];
      new MutationObserver(() => told.push(place.textContent)).observe(place, {childList: true});
    }""")
    page.click("#train")
    page.locator("#training-status", has_text="Cancelled.").wait_for()
    assert page.evaluate("told").index("Cancelled.") == len(page.evaluate("told")) - 1
    assert [text for text in page.evaluate("told") if "ing " in text and "…" in text] == [
        "Sending the network to the server …",
        "Starting the training process: it loads Keras and JAX …",
        "Waiting for earlier trainings to end; there are 2 …",
    ]


def test_on_a_phone_train_is_within_reach(open_page):
    page = open_page(width=390)
    page.locator("[data-jump=playground]").click()
    page.wait_for_timeout(800)
    for place in ("#train", "#estimate"):
        box = page.locator(place).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 900, place
    assert page.locator("#layers li").first.is_visible()
    # It covers none of the layers at the end of the list.
    page.locator("[data-add=Dropout]").scroll_into_view_if_needed()
    page.locator("[data-add=Dropout]").click()


def test_a_training_can_be_cancelled(open_page):
    page = open_page("epochs=200")
    page.locator("#layers input").first.fill("37")
    page.click("#train")
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden", timeout=30_000)
    assert page.inner_text("#training-status") == "Cancelled."
    assert page.is_enabled("#train")


@pytest.mark.release
def test_another_model_ends_the_training_and_gets_none_of_its_results(open_page):
    page = open_page("epochs=200")
    page.set_default_timeout(60_000)  # Beside other tests, compiling takes long.
    ended = []
    page.on("request", lambda asked: ended.append(asked.url) if asked.method == "DELETE" else None)
    page.locator("#layers input").first.fill("36")
    page.click("#train")
    page.locator("#training-status", has_text="200").wait_for()
    page.select_option("#models", "colours")
    page.locator("#title", has_text="colours").wait_for()
    page.wait_for_selector("body[data-ready]")
    assert len(ended) == 1
    page.wait_for_selector("#train:not([disabled])")
    assert page.inner_text("#training-status") == page.inner_text("#impossible") == ""
    assert page.is_hidden("#results") and page.is_hidden("#cancel")
    page.fill("#epochs", "1")
    page.click("#train")
    page.wait_for_selector("body[data-attempts='1']", timeout=60_000)
    assert page.locator("#attempts tr").count() == 2
    page.locator("#attempts tr").nth(1).get_by_role("button").click()
    page.wait_for_selector("#look-back:not([hidden])")
    page.select_option("#models", "digits")
    page.locator("#title", has_text="digits").wait_for()
    page.wait_for_selector("body[data-ready]")
    assert page.is_hidden("#results") and page.is_hidden("#look-back")


def test_of_models_chosen_one_after_another_the_latest_counts(open_page):
    page = open_page()
    page.evaluate("""() => ["zoo", "colours", "zoo", "digits", "colours"].forEach((name) => {
      const models = document.getElementById("models");
      models.value = name;
      models.dispatchEvent(new Event("change"));
    })""")
    page.locator("#title", has_text="colours").wait_for()
    page.wait_for_selector("body[data-ready]")
    page.wait_for_timeout(500)
    assert page.locator("#bars li").count() == 3
    assert page.inner_text("#problem") == ""


def test_images_of_a_model_that_was_left_do_not_come_late(open_page):
    page = open_page()
    held = []
    page.route("**/page/models/zoo/images", lambda route: held.append(route))
    with page.expect_request("**/page/models/zoo/images"):
        page.select_option("#models", "zoo")
    page.select_option("#models", "colours")
    page.wait_for_selector("body[data-ready]")
    images = page.locator("#gallery button")
    shown = images.evaluate_all("each => each.map(({ title }) => title)")
    with page.expect_response("**/page/models/zoo/images"):
        held[0].continue_()
    page.wait_for_timeout(300)
    assert images.evaluate_all("each => each.map(({ title }) => title)") == shown != []


def test_a_model_that_cannot_be_opened_is_told_and_another_one_opens(open_page):
    page = open_page()
    page.route("**/page/models/zoo", lambda route: route.fulfill(json={}, status=200))
    page.select_option("#models", "zoo")
    page.locator("#problem", has_text="could not be loaded").wait_for()
    page.select_option("#models", "colours")
    page.wait_for_selector("body[data-ready]")
    assert page.inner_text("#problem") == ""


@pytest.mark.release
def test_a_new_training_clears_what_the_last_one_complained_of(open_page):
    page = open_page("epochs=1")
    failed = {"event": "error", "problem": "It diverged.", "remedy": "Change it.", "code": "x"}
    told = {"body": f"data: {json.dumps(failed)}\n\n", "content_type": "text/event-stream"}
    page.route("**/attempts/*/events*", lambda route: route.fulfill(**told))
    page.click("#train")
    page.locator("#impossible b", has_text="It diverged.").wait_for()
    page.unroute("**/attempts/*/events*")
    page.click("#train")
    page.wait_for_selector("body[data-attempts='1']", timeout=60_000)
    assert page.inner_text("#impossible") == ""


def test_an_impossible_model_is_explained_before_it_is_tried(open_page):
    page = open_page()
    page.locator("#layers input").nth(1).fill("9")
    page.wait_for_selector("#impossible b")
    assert "needs at least 9×9 pixels but receives 8×8" in page.inner_text("#impossible")
    assert page.is_disabled("#train")
    assert page.locator("#layers li.wrong").count() == 1
    page.locator("#layers input").nth(1).fill("3")
    page.wait_for_selector("#train:not([disabled])")
    assert page.inner_text("#impossible") == ""


def test_an_impossible_model_is_explained_in_korean_and_told_again_in_english(open_page):
    page = open_page(locale="ko-KR")
    page.locator("#layers input").nth(1).fill("9")
    page.wait_for_selector("#impossible b")
    told = page.inner_text("#impossible")
    assert "1번째 층(Conv2D, 입력 8×8×1): 9×9픽셀 이상이 필요한데" in told
    assert "needs" not in told
    assert page.locator("#layers li.wrong").count() == 1
    page.click("[data-language='en']")
    page.locator("#impossible b", has_text="needs at least 9×9 pixels").wait_for()
    assert page.locator("#layers li.wrong").count() == 1
    assert page.is_disabled("#train")


TELL = """async (problem) => {
  const {tellProblem} = await import("/static/problems.js");
  return tellProblem(problem).map((part) => part.outerHTML ?? part).join("");
}"""


def test_what_the_server_says_in_english_is_marked_as_english(open_page):
    page = open_page(locale="ko-KR")
    told = page.evaluate(TELL, {"message": "It is <b>.", "status": 421})
    assert told == '<b>서버가 이렇게 답했습니다:</b> <span lang="en">It is &lt;b&gt;. </span>'
    told = page.evaluate(TELL, {"message": "없습니다.", "remedy": "고르세요.", "status": 422})
    assert told == "<b>없습니다.</b> 고르세요."


def test_kernels_need_not_be_square(open_page):
    page = open_page()
    kernel = page.locator("#layers input").nth(1)
    kernel.fill("3x5")
    page.locator("#layers .told b", has_text="6×4×10").first.wait_for()
    kernel.press("ArrowUp")
    page.locator("#layers .told b", has_text="5×3×10").first.wait_for()
    assert kernel.input_value() == "4×6"
    page.wait_for_timeout(300)  # Until the address has it.
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert kernel.input_value() == "4×6"
    kernel.fill("3×")
    page.locator("#impossible b", has_text="kernel_size='3×'").wait_for()
    kernel.fill("2")
    page.locator("#layers .told b", has_text="7×7×10").first.wait_for()


def test_what_is_looked_at_is_prepared_once_it_rests(open_page):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request) if "prepare" in request.url else None)
    page.wait_for_timeout(600)
    assert asked == []  # Nobody has seen the playground yet.
    page.locator("#playground").scroll_into_view_if_needed()
    filters = page.locator("#layers input").first
    for count in ("5", "6", "7"):
        filters.fill(count)
    page.locator("#layers .told b", has_text="6×6×7").first.wait_for()
    page.wait_for_timeout(600)
    wanted = [request.post_data_json["layers"][0]["arguments"]["filters"] for request in asked]
    assert wanted[-1] == 7 and 5 not in wanted and 6 not in wanted
    page.locator("#layers input").nth(1).fill("99")
    page.wait_for_selector("#impossible b")
    count = len(asked)
    page.wait_for_timeout(600)
    assert len(asked) == count


def test_layers_are_prepared_only_once_they_are_known_to_be_possible(open_page):
    page = open_page()
    asked, held = [], []
    page.on("request", lambda request: asked.append(request) if "prepare" in request.url else None)
    page.locator("#playground").scroll_into_view_if_needed()
    page.locator("#layers .told b", has_text="6×6×10").first.wait_for()
    page.route("**/check", lambda route: held.append(route))  # The server's answer is late.
    page.locator("#layers input").nth(1).fill("3×")
    page.fill("#epochs", "4")
    page.wait_for_timeout(600)
    assert len(held) == 1 and asked == []
    held[0].continue_()
    page.locator("#impossible b", has_text="kernel_size='3×'").wait_for()
    page.wait_for_timeout(600)
    assert asked == []
