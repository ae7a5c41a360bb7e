// A table: the part of its rows that a source has on its page. All text is set as text, never as
// HTML: it is untrusted. A source is where the rows are, in Python or in this page:
//   page()         what is to be shown, an object
//   tell(message)  asks for something: {kind: "sort" | "turn" | "size" | "filter" | "column" | "choose" | "all", …}
//   watch(draw)    has `draw` called whenever there is another page, and returns what ends that
//   csv()          the rows as CSV, where the source can write it
const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};

const CUT = 40;
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const howOf = (event) => (event.shiftKey ? "through" : event.ctrlKey || event.metaKey ? "toggle" : "only");

const cellOf = ([text, kind, title, href], { isNumber, isKey, isLong }) => {
  const classes = [kind, isNumber && "number", isKey && "key", isLong && "long"];
  const cell = make("td", { class: classes.filter(Boolean).join(" ") });
  const told = title || (text.length > CUT ? text : "");
  const isLink = /^https?:\/\//.test(href);
  const link = { href, title: told, target: "_blank", rel: "noopener noreferrer nofollow" };
  if (isLink && !isKey) cell.append(make("a", link, text));
  else cell.append(make("span", { title: told }, text));
  // What names a row chooses it; its page is beside.
  if (isLink && isKey) cell.append(" ", make("a", { ...link, "aria-label": `page of ${text}` }, "↗"));
  return cell;
};

function mount(el, source) {
  el.classList.add("hubframe-grid", "mathjax_ignore", "tex2jax_ignore");
  // In JupyterLab, keys are first its own.
  el.dataset.lmSuppressShortcuts = "true";
  const tell = (kind, more) => source.tell({ kind, ...more });
  const button = (key, text, act, more = {}) => {
    const made = make("button", { type: "button", "data-focus": key, ...more }, text);
    made.addEventListener("click", act);
    return made;
  };

  // What is typed into must stay as it is while all else is drawn anew.
  const filter = make("input", { type: "search", placeholder: "Filter rows", autocomplete: "off", spellcheck: "false" });
  filter.addEventListener("input", () => tell("filter", { text: filter.value }));
  const chooser = make("details", { class: "chooser" });
  const same = make("p", { class: "same" });
  const bar = make("div", { class: "bar" }, filter, chooser, same);
  const frame = make("div", { class: "frame", tabindex: 0, role: "region" });
  const foot = make("div", { class: "foot" });

  const boxOf = (key, label, isChecked, act) => {
    const box = make("input", { type: "checkbox", "data-focus": key, "aria-label": label });
    box.checked = isChecked;
    box.addEventListener("click", act);
    return box;
  };

  const drawBar = ({ label, columns, choices, text, total }) => {
    filter.hidden = text === null;
    filter.setAttribute("aria-label", `Filter the rows of ${label}`);
    if (document.activeElement !== filter) filter.value = text ?? "";
    const list = choices.map(({ name, title, about, isShown, same, isEmpty }) => {
      const box = boxOf(`column ${name}`, title, isShown, () => tell("column", { name, isShown: !isShown }));
      const note = isEmpty ? "no values" : same === null ? "" : "the same in all rows";
      return make("label", { title: about }, box, title, make("small", {}, note));
    });
    const head = `Columns: ${columns.length} of ${choices.length}`;
    chooser.replaceChildren(make("summary", { "data-focus": "columns" }, head), make("div", {}, ...list));
    chooser.hidden = choices.length < 2;
    const hidden = (total ? choices : []).filter(({ isShown }) => !isShown);
    const constant = hidden.filter((one) => one.same !== null && !one.isEmpty);
    const empty = hidden.filter(({ isEmpty }) => isEmpty).map(({ title }) => title);
    const parts = constant.flatMap((one, at) => [at ? ", " : "Same in all rows: ", `${one.title} `, make("b", { dir: "auto" }, one.same)]);
    if (constant.length) parts.push(". ");
    if (empty.length) parts.push(`No values: ${empty.join(", ")}.`);
    same.replaceChildren(...parts);
    same.title = same.textContent;
    same.hidden = !parts.length;
    bar.hidden = filter.hidden && chooser.hidden && same.hidden;
  };

  const headOf = ({ columns, order, chosen, many, count, chosenHere }) => {
    const row = make("tr");
    if (chosen && many) {
      const label = `Choose all ${counted(count, "row")}`;
      const all = boxOf("all", label, chosenHere === count, () => tell("all", { isChosen: chosenHere !== count }));
      all.title = chosenHere === count ? "Choose none" : label;
      all.indeterminate = chosenHere > 0 && chosenHere < count;
      row.append(make("td", { class: "box" }, all));
    }
    for (const { name, title, about, hints, isNumber } of columns) {
      const turn = order && order[0] === name ? (order[1] ? 2 : 1) : 0;
      const hint = `${about ? `${about}\n` : ""}Click to sort: ${hints[turn]}`;
      const head = { scope: "col", "aria-sort": ["none", "ascending", "descending"][turn], class: isNumber && "number" };
      row.append(make("th", head, button(`sort ${name}`, title, () => tell("sort", { name }), { title: hint })));
    }
    return make("thead", {}, row);
  };

  const rowOf = (page, cells, place) => {
    const isChosen = page.chosen ? page.chosen[place] : null;
    const row = make("tr", { "data-place": place, "data-focus": `row ${place}` });
    if (isChosen !== null) {
      row.setAttribute("aria-selected", isChosen);
      row.tabIndex = place === 0 ? 0 : -1;
    }
    if (isChosen !== null && page.many) {
      const keys = cells.filter((_, at) => page.columns[at].isKey).map(([text]) => text);
      const named = keys.join(":") || `Row ${page.start + place + 1}`;
      const box = boxOf(`box ${place}`, named, isChosen, (event) => {
        event.stopPropagation();
        tell("choose", { name: page.names[place], how: event.shiftKey ? "through" : "toggle" });
      });
      box.tabIndex = -1;
      row.append(make("td", { class: "box" }, box));
    }
    row.append(...cells.map((cell, at) => cellOf(cell, page.columns[at])));
    return row;
  };

  const drawFoot = ({ page, pages, start, rows, count, total, chosenCount, size, sizes, nothing, label }) => {
    let place = count ? counted(count, "row") : total ? "No row has these words." : nothing;
    if (rows.length < count) place = `${(start + 1).toLocaleString("en")}–${(start + rows.length).toLocaleString("en")} of ${place}`;
    if (count && count < total) place += `, ${total.toLocaleString("en")} without the filter`;
    if (chosenCount) place += `, ${chosenCount.toLocaleString("en")} chosen`;
    foot.replaceChildren(make("span", { role: "status", class: "place" }, place));
    const turns = [
      ["First page", "«", 0, page > 0],
      ["Page before", "‹", page - 1, page > 0],
      ["Next page", "›", page + 1, page < pages - 1],
      ["Last page", "»", pages - 1, page < pages - 1],
    ];
    for (const [name, sign, to, isThere] of pages > 1 ? turns : []) {
      const turn = button(name, sign, () => tell("turn", { page: to }), { "aria-label": name, title: name });
      turn.disabled = !isThere;
      foot.append(turn);
    }
    if (count > sizes[0]) {
      const options = sizes.map((one) => make("option", { value: one }, `${one} rows`));
      const select = make("select", { "data-focus": "size", "aria-label": `Rows on a page of ${label}` }, ...options);
      select.value = size;
      select.addEventListener("change", () => tell("size", { size: Number(select.value) }));
      foot.append(select);
    }
    if (source.csv && count) {
      const which = chosenCount ? counted(chosenCount, "chosen row") : counted(count, "row");
      const words = `CSV of ${which}`;
      const hint = { title: "All columns, also those that are not shown" };
      foot.append(button("csv", words, () => save(`${label}.csv`, source.csv()), hint));
    }
  };

  const goTo = (key) => {
    const next = el.querySelector(`[data-focus="${CSS.escape(key)}"]`);
    if (next && !next.disabled) next.focus();
    // What had the focus is gone or off: keys still do something here.
    else frame.focus();
  };

  const onKey = (event) => {
    const row = event.target.closest("tbody tr");
    if (!row || event.target !== row) return;
    const place = Number(row.dataset.place);
    const { page, pages, rows, names, chosen, many } = source.page();
    const name = names[place];
    const last = rows.length - 1;
    const turnTo = (to, focus) => {
      wanted = focus;
      tell("turn", { page: to });
    };
    const isCtrl = event.ctrlKey || event.metaKey;
    const act = {
      ArrowDown: () => (place < last ? goTo(`row ${place + 1}`) : page < pages - 1 && turnTo(page + 1, "row 0")),
      ArrowUp: () => (place > 0 ? goTo(`row ${place - 1}`) : page > 0 && turnTo(page - 1, `row ${source.page().size - 1}`)),
      PageDown: () => page < pages - 1 && tell("turn", { page: page + 1 }),
      PageUp: () => page > 0 && tell("turn", { page: page - 1 }),
      Home: () => (isCtrl ? turnTo(0, "row 0") : goTo("row 0")),
      End: () => (isCtrl ? turnTo(pages - 1, "row 0") : goTo(`row ${last}`)),
      Enter: () => chosen && tell("choose", { name, how: howOf(event) }),
      " ": () => chosen && tell("choose", { name, how: event.shiftKey ? "through" : "toggle" }),
      a: isCtrl && chosen && many ? () => tell("all", { isChosen: true }) : null,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  // Where the focus is to be when the next page comes, if not where it was.
  let wanted = null;

  const draw = () => {
    const page = source.page();
    if (!page.columns) return;
    const focused = el.contains(document.activeElement) ? document.activeElement : null;
    const key = wanted ?? focused?.dataset.focus;
    wanted = null;
    const scrolled = frame.scrollLeft;

    drawBar(page);
    const table = make("table", { "aria-label": page.label });
    if (page.rows.length) table.append(headOf(page), make("tbody", {}, ...page.rows.map((cells, at) => rowOf(page, cells, at))));
    table.addEventListener("keydown", onKey);
    if (page.chosen) {
      table.addEventListener("click", (event) => {
        const row = event.target.closest("tbody tr");
        const isText = String(window.getSelection() ?? "") !== "";
        if (!row || event.target.closest("a") || (isText && !event.shiftKey)) return;
        tell("choose", { name: page.names[row.dataset.place], how: howOf(event) });
      });
    }
    frame.setAttribute("aria-label", `${page.label}, to be scrolled`);
    frame.replaceChildren(table);
    drawFoot(page);
    frame.scrollLeft = scrolled;
    if (key) goTo(key.startsWith("row ") ? `row ${Math.min(Number(key.slice(4)), page.rows.length - 1)}` : key);
  };

  el.replaceChildren(bar, frame, foot);
  const end = source.watch(draw);
  draw();
  return end;
}

const save = (name, content) => {
  const address = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  const link = make("a", { href: address, download: name.replace(/[^\p{L}\p{N}._-]+/gu, "-") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
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

function render({ model, el }) {
  const end = mount(el, {
    page: () => model.get("page"),
    tell: (message) => model.send(message),
    watch: (draw) => {
      model.on("change:page", draw);
      return () => model.off("change:page", draw);
    },
  });
  const tellTheme = () => model.send({ kind: "theme", dark: isDark() });
  const watching = new MutationObserver(tellTheme);
  watching.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  tellTheme();
  return () => {
    watching.disconnect();
    end();
  };
}

export default { render };
