// Read single epochs off the curves: pointer, finger, or arrow keys. The page is whole without.
for (const charts of document.querySelectorAll(".charts")) {
  const epochs = Number(charts.dataset.epochs);
  const figures = [...charts.querySelectorAll("figure")].map((figure) => ({
    svg: figure.querySelector("svg"),
    cursor: figure.querySelector(".cursor"),
    output: figure.querySelector("output"),
    lines: [...figure.querySelectorAll("path")].map((path) => ({
      name: path.dataset.name,
      places: JSON.parse(path.dataset.places),
      values: JSON.parse(path.dataset.values),
      dot: path.nextElementSibling,
    })),
  }));
  let shown = Number(charts.dataset.best);

  const move = (epoch, pointing) => {
    for (const { cursor, output, lines } of figures) {
      for (const { dot, places } of lines) {
        const [x, y] = places[epoch];
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", y ?? -9);
        cursor.setAttribute("x1", x);
        cursor.setAttribute("x2", x);
      }
      cursor.setAttribute("visibility", pointing ? "visible" : "hidden");
      output.textContent = pointing
        ? charts.dataset.epoch.replace("#", epoch + 1) + lines.map((line) => `${line.name} ${line.values[epoch]}`).join(", ")
        : "";
    }
    shown = epoch;
  };
  const rest = () => move(Number(charts.dataset.best), false);

  for (const { svg, lines } of figures) {
    svg.addEventListener("pointermove", (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const xs = lines[0].places.map(([x]) => Math.abs(x - point.x));
      move(xs.indexOf(Math.min(...xs)), true);
    });
    svg.addEventListener("pointerleave", rest);
    svg.addEventListener("blur", rest);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -epochs, End: epochs }[event.key];
      if (!step) return;
      event.preventDefault();
      move(Math.max(0, Math.min(epochs - 1, shown + step)), true);
    });
  }
}
