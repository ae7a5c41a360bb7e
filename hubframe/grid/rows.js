// A source whose rows are all in this page: of each column its distinct values, in the order that
// they are sorted in, and of each row the place of its value, -1 where it is null.
// More rows than these are not printed. Nobody reads so many pages.
const MOST_PRINTED = 2000;
// Digests have any two or three digits: shorter words are not looked for in them.
const SHORTEST = 6;
const NULL = ["–", "none", "", ""];

const cellAt = ({ values, kinds }, code) => {
  if (code < 0) return NULL;
  const [field, text, title = "", href = ""] = [values[code]].flat();
  return [text ?? field, typeof kinds === "string" ? kinds : kinds[code], title ?? field, href];
};

// As Python's csv writes it, all text quoted.
const fieldAt = ({ values, isNumber, isFlag }, code) => {
  if (code < 0) return '""';
  const [field] = [values[code]].flat();
  return isNumber || isFlag ? field : `"${field.replaceAll('"', '""')}"`;
};

const rowsSource = ({ label, count: total, columns, first, sizes }) => {
  const named = new Map(columns.map((column) => [column.name, column]));
  const all = Array.from({ length: total }, (_, row) => row);
  const shown = new Set(first);
  const chosen = new Set();
  let [order, text, at, size, isPrinted] = [null, "", 0, sizes[0], false];
  let sorted = all, rows = all, last = null;
  let drawers = [];

  const names = () => {
    const others = columns.map(({ name }) => name).filter((name) => !first.includes(name));
    return [...first, ...others].filter((name) => shown.has(name));
  };

  const sort = () => {
    if (order === null) {
      sorted = all;
      return;
    }
    const { codes } = named.get(order[0]);
    const way = order[1] ? -1 : 1;
    // Nulls are last both ways.
    sorted = [...all].sort((a, b) => (codes[a] < 0) - (codes[b] < 0) || way * (codes[a] - codes[b]));
  };

  // What is looked through, of each distinct value once.
  const textsOf = (column) => (column.texts ??= column.values.map((value) => [value].flat().slice(0, 2).join("\n").toLowerCase()));

  const filter = () => {
    const looked = names().map((name) => named.get(name));
    rows = sorted;
    for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
      const columns = looked.filter(({ isDigest }) => !isDigest || word.length >= SHORTEST);
      const found = columns.map((column) => ({ codes: column.codes, has: textsOf(column).map((one) => one.includes(word)) }));
      rows = rows.filter((row) => found.some(({ codes, has }) => codes[row] >= 0 && has[codes[row]]));
    }
  };

  const choose = (row, how) => {
    const from = rows.indexOf(last), to = rows.indexOf(row);
    if (how === "only") chosen.clear();
    if (how === "toggle" && chosen.has(row)) chosen.delete(row);
    else if (how === "through" && from >= 0) rows.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => chosen.add(one));
    else chosen.add(row);
    last = row;
  };

  const acts = {
    sort({ name }) {
      if (order === null || order[0] !== name) order = [name, false];
      else order = order[1] ? null : [name, true];
      at = 0;
      sort();
      filter();
    },
    turn({ page }) { at = page; },
    size(message) {
      at = Math.floor((at * size) / message.size);
      size = message.size;
    },
    filter(message) {
      text = message.text;
      at = 0;
      filter();
    },
    column({ name, isShown }) {
      if (isShown) shown.add(name);
      else if (shown.size > 1) shown.delete(name);
      filter();
    },
    choose: ({ name, how }) => choose(name, how),
    all: ({ isChosen }) => rows.forEach((row) => (isChosen ? chosen.add(row) : chosen.delete(row))),
    print(message) { isPrinted = message.isPrinted; },
  };

  return {
    page() {
      const length = isPrinted ? MOST_PRINTED : size;
      const pages = Math.max(1, Math.ceil(rows.length / size));
      at = Math.min(Math.max(at, 0), pages - 1);
      const start = isPrinted ? 0 : at * size;
      const here = rows.slice(start, start + length);
      const on = names().map((name) => named.get(name));
      return {
        label,
        columns: on,
        choices: columns.map((column) => ({ ...column, isShown: shown.has(column.name) })),
        rows: here.map((row) => on.map((column) => cellAt(column, column.codes[row]))),
        names: here,
        chosen: here.map((row) => chosen.has(row)),
        chosenCount: chosen.size,
        chosenHere: rows.filter((row) => chosen.has(row)).length,
        order, text, pages, size, sizes, start, total,
        many: true,
        page: at,
        count: rows.length,
        nothing: "No rows.",
      };
    },
    tell(message) {
      acts[message.kind](message);
      drawers.forEach((draw) => draw());
    },
    watch(draw) {
      drawers.push(draw);
      return () => { drawers = drawers.filter((one) => one !== draw); };
    },
    csv() {
      const taken = chosen.size ? sorted.filter((row) => chosen.has(row)) : rows;
      const head = columns.map(({ header }) => `"${header.replaceAll('"', '""')}"`).join(",");
      const lines = taken.map((row) => columns.map((column) => fieldAt(column, column.codes[row])).join(","));
      return [head, ...lines, ""].join("\n");
    },
  };
};

for (const place of document.querySelectorAll("[data-grid]")) {
  const source = rowsSource(JSON.parse(document.getElementById(place.dataset.grid).textContent));
  mount(place, source);
  addEventListener("beforeprint", () => source.tell({ kind: "print", isPrinted: true }));
  addEventListener("afterprint", () => source.tell({ kind: "print", isPrinted: false }));
}
