// The address of Voila's pages; a notebook's address is not ours.
const isOurs = () => document.body.dataset.voila !== undefined && window.top === window;
// What is typed letter by letter is one step.
const stepOf = (query) => {
  const told = new URLSearchParams(query);
  for (const name of ["like", "versions", "newest"]) told.delete(name);
  return told.toString();
};

function render({ model, el }) {
  el.style.display = "none";
  if (!isOurs()) return undefined;
  const show = () => {
    const query = model.get("query");
    const before = location.search.slice(1);
    if (!query || query === before) return;
    const isStep = before !== "" && stepOf(before) !== stepOf(query);
    history[isStep ? "pushState" : "replaceState"](null, "", `?${query}`);
  };
  const went = () => model.send({ kind: "went", query: location.search.slice(1) });
  window.addEventListener("popstate", went);
  model.on("change:query", show);
  show();
  return () => {
    window.removeEventListener("popstate", went);
    model.off("change:query", show);
  };
}

export default { render };
