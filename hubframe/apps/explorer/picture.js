// A picture as SVG. It is read as XML and not as HTML, so that no text in it acts.
function render({ model, el }) {
  el.classList.add("hubframe-picture");
  const draw = () => {
    const text = model.get("svg");
    el.replaceChildren();
    if (!text) return;
    const { documentElement } = new DOMParser().parseFromString(text, "image/svg+xml");
    const picture = document.importNode(documentElement, true);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", model.get("label"));
    el.append(picture);
  };
  el.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-name]");
    if (mark) model.send({ kind: "choose", name: mark.getAttribute("data-name") });
  });
  let waiting = 0;
  const watching = new ResizeObserver(([{ contentRect }]) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      // Steps of some width, so that a scroll bar that comes and goes draws nothing anew.
      const width = Math.round(contentRect.width / 20) * 20;
      if (width && width !== model.get("width")) {
        model.set("width", width);
        model.save_changes();
      }
    }, 100);
  });
  watching.observe(el);
  model.on("change:svg", draw);
  draw();
  return () => {
    watching.disconnect();
    model.off("change:svg", draw);
  };
}

export default { render };
