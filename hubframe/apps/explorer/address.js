// The address of Voila's pages; a notebook's address is not ours.
const isOurs = () => document.body.dataset.voila !== undefined && window.top === window;
const OURS = [
  "what", "as", "repo", "tag", "compare", "panel", "like", "versions", "newest", "platform", "everything",
  "keep", "older",
];
// What is typed letter by letter is one step.
const TYPED = ["like", "versions", "newest", "keep", "older"];
const without = (query, names) => {
  const told = new URLSearchParams(query);
  for (const name of names) told.delete(name);
  return told.toString();
};

function render({ model, el }) {
  el.style.display = "none";
  if (!isOurs()) return undefined;
  const show = () => {
    const query = model.get("query");
    const before = location.search.slice(1);
    // What else the page was asked for stays.
    const after = [without(before, OURS), query].filter(Boolean).join("&");
    if (!query || new URLSearchParams(before).toString() === new URLSearchParams(after).toString()) return;
    const isStep = new URLSearchParams(before).has("what") && without(before, TYPED) !== without(after, TYPED);
    history[isStep ? "pushState" : "replaceState"](null, "", `?${after}`);
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
