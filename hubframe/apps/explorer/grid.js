// One page of a table. All text is set as text, never as HTML: it is untrusted.
const make = (name, attributes = {}, text = null) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== "") element.setAttribute(key, value);
  }
  if (text !== null) element.textContent = text;
  return element;
};

const isDark = () => {
  const { jpThemeLight } = document.body.dataset;
  if (jpThemeLight) return jpThemeLight === "false";
  // Colab's pages.
  const theme = document.documentElement.getAttribute("theme");
  if (theme) return theme === "dark";
  const { classList } = document.body;
  return classList.contains("vscode-dark") || classList.contains("theme-dark");
};

const cellOf = ([text, kind, title, href], { isNumber, isKey }) => {
  const cell = make("td", { class: [kind, isNumber && "number", isKey && "key"].filter(Boolean).join(" ") });
  const isLink = /^https?:\/\//.test(href);
  const link = { href, title, target: "_blank", rel: "noopener noreferrer nofollow" };
  if (isLink && !isKey) cell.append(make("a", link, text));
  else cell.append(make("span", { title }, text));
  // What names a row chooses it; its page is beside.
  if (isLink && isKey) cell.append(" ", make("a", { ...link, "aria-label": `page of ${text}` }, "↗"));
  return cell;
};

function render({ model, el }) {
  el.classList.add("hubframe-grid");
  const tell = (kind, more) => model.send({ kind, ...more });
  const howOf = (event) =>
    event.shiftKey ? "through" : event.ctrlKey || event.metaKey ? "toggle" : "only";

  const headOf = ({ columns, order, chosen, many }) => {
    const row = make("tr");
    if (chosen && many) row.append(make("td"));
    for (const { name, title, about, isNumber } of columns) {
      const isSorted = order && order[0] === name;
      const sort = isSorted ? (order[1] ? "descending" : "ascending") : "none";
      const head = make("th", { scope: "col", "aria-sort": sort, class: isNumber ? "number" : null });
      const button = make("button", { type: "button", title: about, "data-name": name }, title);
      button.addEventListener("click", () => tell("sort", { name }));
      head.append(button);
      row.append(head);
    }
    const head = make("thead");
    head.append(row);
    return head;
  };

  const rowOf = (page, cells, place) => {
    const isChosen = page.chosen ? page.chosen[place] : null;
    const row = make("tr", { "data-place": place });
    if (isChosen !== null) {
      row.setAttribute("aria-selected", isChosen);
      row.tabIndex = place === 0 ? 0 : -1;
    }
    if (isChosen !== null && page.many) {
      const named = cells.filter((_, at) => page.columns[at].isKey).map(([text]) => text).join(":");
      const box = make("input", { type: "checkbox", tabindex: -1, "aria-label": named });
      box.checked = isChosen;
      box.addEventListener("click", (event) => {
        event.stopPropagation();
        tell("choose", { place, how: event.shiftKey ? "through" : "toggle" });
      });
      const cell = make("td", { class: "box" });
      cell.append(box);
      row.append(cell);
    }
    row.append(...cells.map((cell, at) => cellOf(cell, page.columns[at])));
    return row;
  };

  const footOf = ({ page, pages, place }) => {
    const foot = make("div", { class: "foot" });
    foot.append(make("span", { role: "status", class: "place" }, place));
    if (pages < 2) return foot;
    const turns = [
      ["First page", "«", 0, page > 0],
      ["Page before", "‹", page - 1, page > 0],
      ["Next page", "›", page + 1, page < pages - 1],
      ["Last page", "»", pages - 1, page < pages - 1],
    ];
    for (const [label, sign, to, isThere] of turns) {
      const button = make("button", { type: "button", "aria-label": label, title: label }, sign);
      button.disabled = !isThere;
      button.addEventListener("click", () => tell("turn", { page: to }));
      foot.append(button);
    }
    return foot;
  };

  const keep = (place, way) => {
    const rows = el.querySelectorAll("tbody tr");
    const next = rows[Math.min(Math.max(place + way, 0), rows.length - 1)];
    if (next) next.focus();
  };

  const onKey = (event) => {
    const row = event.target.closest("tbody tr");
    if (!row || event.target !== row) return;
    const place = Number(row.dataset.place);
    const { page, chosen } = model.get("page");
    const act = {
      ArrowDown: () => keep(place, 1),
      ArrowUp: () => keep(place, -1),
      PageDown: () => tell("turn", { page: page + 1 }),
      PageUp: () => tell("turn", { page: page - 1 }),
      Enter: () => chosen && tell("choose", { place, how: howOf(event) }),
      " ": () => chosen && tell("choose", { place, how: "toggle" }),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  const draw = () => {
    const page = model.get("page");
    if (!page.columns) return;
    const focused = el.contains(document.activeElement) ? document.activeElement : null;
    const place = focused?.closest("tr")?.dataset.place;
    const name = focused?.dataset.name;
    const label = focused?.getAttribute("aria-label");
    const scrolled = el.querySelector(".frame")?.scrollLeft ?? 0;

    const table = make("table", { "aria-label": page.label });
    const body = make("tbody");
    body.append(...page.rows.map((cells, at) => rowOf(page, cells, at)));
    if (page.chosen) {
      body.addEventListener("click", (event) => {
        const row = event.target.closest("tr");
        const isText = String(window.getSelection() ?? "") !== "";
        if (!row || event.target.closest("a") || (isText && !event.shiftKey)) return;
        tell("choose", { place: Number(row.dataset.place), how: howOf(event) });
      });
    }
    if (page.rows.length) table.append(headOf(page), body);
    table.addEventListener("keydown", onKey);
    const frame = make("div", { class: "frame" });
    frame.append(table);
    el.replaceChildren(frame, footOf(page));
    frame.scrollLeft = scrolled;

    // What had the focus keeps it, although it was drawn anew.
    if (place !== undefined) keep(Number(place), 0);
    else if (name) el.querySelector(`button[data-name="${CSS.escape(name)}"]`)?.focus();
    else if (label) el.querySelector(`button[aria-label="${CSS.escape(label)}"]`)?.focus();
  };

  const tellTheme = () => tell("theme", { dark: isDark() });
  const watching = new MutationObserver(tellTheme);
  watching.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  model.on("change:page", draw);
  draw();
  tellTheme();
  return () => {
    watching.disconnect();
    model.off("change:page", draw);
  };
}

export default { render };
