"use strict";

// Sorts and filters tables, shows one of several choices, and lists every query. Without it the page can still be read.

const LONG_TABLE = 7;  // rows from which a table gets a filter
const ALIKE = 0.0005;

// Everything that comes from queries or passages becomes text, never markup.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function labelled(label, control) {
  return element("label", {}, `${label} `, control);
}

function selection(label, options, chosen, change) {
  const control = element("select");
  for (const [value, name] of options) control.append(element("option", { value }, name));
  control.value = chosen;
  control.addEventListener("change", change);
  return { control, label: labelled(label, control) };
}

function search(label, change) {
  const control = element("input", { type: "search", autocomplete: "off" });
  control.addEventListener("input", change);
  return { control, label: labelled(label, control) };
}

// --- tables

function number(cell) {
  const found = cell.textContent.replaceAll("−", "-").replaceAll(/[,\u202f]/g, "").match(/[+-]?\d*\.?\d+/);
  return found ? Number(found[0]) : NaN;
}

function compare(one, other, numeric, sign) {
  if (!numeric) return sign * one.textContent.localeCompare(other.textContent);
  const [a, b] = [number(one), number(other)];
  if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);  // what has no number stands last
  return sign * (a - b);
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const numeric = head.classList.contains("number");
    const button = element("button", { type: "button", title: "Sort" }, ...head.childNodes);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows];
      rows.sort((one, other) => compare(one.cells[column], other.cells[column], numeric, sign));
      body.append(...rows);
    });
  });
}

function filterable(table) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < LONG_TABLE) return;
  const { control, label } = search("Rows with", () => {
    const wanted = control.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.closest(".scroll").before(element("p", { class: "controls" }, label));
}

// --- one of several

function choosable(box) {
  const parts = [...box.querySelectorAll(":scope > details")];
  const show = () => parts.forEach((part, index) => {
    part.open = true;
    part.hidden = String(index) !== control.value;
  });
  const { control, label } = selection(box.dataset.label, parts.map((part, index) => [index, part.dataset.name]), 0, show);
  parts.forEach((part) => part.querySelector("summary").hidden = true);
  box.prepend(element("p", { class: "controls" }, label));
  show();
}

// --- every query

function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}

function foundBy(name, method, place, query, passages) {
  const rank = method.ranks[place];
  const first = rank ? `first relevant passage at rank ${rank}` : "no relevant passage in the run";
  const list = element("ol");
  for (const id of method.found[place]) {
    const relevant = query.relevant.includes(id);
    const item = element("li", relevant ? { class: "relevant" } : {}, element("b", {}, id));
    item.append(relevant ? " (relevant) " : " ", passages[id]);
    list.append(item);
  }
  const score = `: ${method.scores[place].toFixed(3)}, ${first}`;
  return element("div", {}, element("p", {}, element("b", {}, name), score), list);
}

function explorer(box) {
  const data = JSON.parse(document.getElementById(box.dataset.of).textContent);
  const list = element("div", { class: "queries" });
  const status = element("p", { role: "status", class: "note" });
  const lang = selection("Language", Object.entries(data.languages), Object.keys(data.languages)[0], change);
  const methods = data.methods.map((name) => [name, name]);
  const method = selection("Method", methods, data.method, render);
  const opponent = selection("Opponent", methods, data.opponent, render);
  const kinds = [["all", "all"], ["better", "better"], ["worse", "worse"], ["alike", "alike"]];
  const kind = selection("Show", kinds, "all", render);
  const orders = [["gain", "greatest gain"], ["loss", "greatest loss"], ["file", "as in the collection"]];
  const order = selection("Order", orders, "gain", render);
  const words = search("Queries with", render);

  // A method that was not run in a language cannot be chosen there.
  function change() {
    const there = data.records[lang.control.value].methods;
    for (const { control } of [method, opponent]) {
      for (const option of control.options) option.disabled = !(option.value in there);
      if (!(control.value in there)) control.value = [...control.options].find((option) => !option.disabled).value;
    }
    render();
  }

  function rows() {
    const record = data.records[lang.control.value];
    const [ours, theirs] = [method, opponent].map(({ control }) => record.methods[control.value]);
    const wanted = words.control.value.toLowerCase();
    const found = [];
    record.queries.forEach((query, place) => {
      const gain = ours.scores[place] - theirs.scores[place];
      const is = gain > ALIKE ? "better" : gain < -ALIKE ? "worse" : "alike";
      const text = `${query.id} ${query.text} ${query.english}`.toLowerCase();
      if (["all", is].includes(kind.control.value) && text.includes(wanted)) found.push({ query, place, gain });
    });
    if (order.control.value !== "file") {
      const sign = order.control.value === "gain" ? -1 : 1;
      found.sort((one, other) => sign * (one.gain - other.gain));
    }
    return { record, ours, theirs, found };
  }

  function render() {
    const { record, ours, theirs, found } = rows();
    status.textContent = `${found.length} of ${record.queries.length} queries; gain: ${data.measure} of ` +
      `${method.control.value} minus ${opponent.control.value}`;
    list.replaceChildren(...found.map(({ query, place, gain }) => {
      const text = element("span", { lang: lang.control.value, dir: "auto" }, query.text);
      const item = element("details", {}, element("summary", {}, element("b", {}, signed(gain)), " ", text));
      item.addEventListener("toggle", () => {
        const english = element("p", {}, `${query.id}: ${query.english}`);
        const sides = element("div", { class: "sides" });
        sides.append(foundBy(method.control.value, ours, place, query, data.passages));
        if (theirs !== ours) sides.append(foundBy(opponent.control.value, theirs, place, query, data.passages));
        item.append(english, sides);
      }, { once: true });
      return item;
    }));
  }

  const controls = [lang, method, opponent, kind, order, words].map(({ label }) => label);
  box.replaceChildren(element("p", { class: "controls" }, ...controls), status, list);
  change();
}

for (const table of document.querySelectorAll("main table")) {
  sortable(table);
  filterable(table);
}
document.querySelectorAll(".choice").forEach(choosable);
document.querySelectorAll(".explorer").forEach(explorer);
