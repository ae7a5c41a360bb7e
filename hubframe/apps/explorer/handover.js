// A button that copies a text, or that has Python make a file, which is saved when it comes.
const save = (name, content) => {
  const address = URL.createObjectURL(new Blob([content]));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
};

function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jupyter-button hubframe-handover";
  const draw = () => {
    button.textContent = model.get("label");
    const about = model.get("about");
    if (about) button.setAttribute("aria-label", about);
    button.title = about;
  };
  const say = (words) => {
    button.textContent = words;
    setTimeout(draw, 1500);
  };
  button.addEventListener("click", async () => {
    if (model.get("is_file")) {
      model.send({ kind: "pressed" });
      return;
    }
    try {
      await navigator.clipboard.writeText(model.get("text"));
      say("Copied");
    } catch {
      say("Select the text and copy it");
    }
  });
  const onMessage = (message, buffers) => {
    if (message.kind === "save") save(message.name, buffers[0]);
  };
  model.on("change:label", draw);
  model.on("msg:custom", onMessage);
  draw();
  el.append(button);
  return () => {
    model.off("change:label", draw);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
