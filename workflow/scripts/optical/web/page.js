"use strict";

// Everything that comes from passages or queries becomes text, never markup.
const element = (name, text = "", attributes = {}) => {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const byId = (id) => document.getElementById(id);
const tell = (text) => { byId("status").textContent = text; };

async function ask(address, values = {}) {
  const answer = await fetch(`${address}?${new URLSearchParams(values)}`).catch(() => {
    throw new Error("The server does not answer: is optical serve still running?");
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

// Positions count characters of Unicode, two of JavaScript's for some.
function marked(text, matches) {
  const signs = Array.from(text);
  const paragraph = element("p");
  let end = 0;
  for (const match of matches) {
    paragraph.append(signs.slice(end, match.start).join(""));
    const title = `${match.query_tokens.join(" ")}: ${match.similarity.toFixed(2)}`;
    paragraph.append(element("mark", signs.slice(match.start, match.end).join(""), { title }));
    end = match.end;
  }
  paragraph.append(signs.slice(end).join(""));
  return paragraph;
}

function table(alignment, text) {
  const drawn = element("table", "", { "aria-label": "alignment" });
  const head = drawn.createTHead().insertRow();
  head.append(element("td"));
  for (const token of alignment.passage) head.append(element("th", token, { scope: "col" }));
  const body = drawn.createTBody();
  alignment.query.forEach((token, index) => {
    const row = body.insertRow();
    row.append(element("th", token, { scope: "row" }));
    const total = alignment.plan[index].reduce((sum, mass) => sum + mass, 0) || 1;
    for (const mass of alignment.plan[index]) {
      const share = mass / total;
      const cell = element("td", share >= 0.05 ? share.toFixed(2) : "");
      cell.style.background = `rgb(0 83 138 / ${share.toFixed(3)})`;
      if (share > 0.5) cell.style.color = "#fff";
      row.append(cell);
    }
  });
  const scrolled = element("div", "", { class: "scroll", tabindex: "0", role: "region", "aria-label": "alignment" });
  scrolled.append(drawn);
  const place = element("div");
  const sentence = element("blockquote", Array.from(text).slice(alignment.start, alignment.end).join(""));
  place.append(element("p", "How much of each token of the query goes to the tokens of the best sentence:"), sentence, scrolled);
  return place;
}

function shown(passage, rank, asked) {
  const item = element("li");
  const head = element("h2", `${rank}. ${passage.id} `);
  head.append(element("span", passage.score.toFixed(2)));
  const button = element("button", "Show alignment", { type: "button", "aria-expanded": "false" });
  let place = null;
  button.addEventListener("click", async () => {
    try {
      if (!place) {
        place = table(await ask("api/align", { ...asked, id: passage.id }), passage.text);
        item.append(place);
        place.hidden = true;
      }
      place.hidden = !place.hidden;
      button.setAttribute("aria-expanded", String(!place.hidden));
      button.textContent = place.hidden ? "Show alignment" : "Hide alignment";
    } catch (error) {
      tell(error.message);
    }
  });
  item.append(head, marked(passage.text, passage.matches), button);
  return item;
}

let latest = 0;
byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const number = ++latest;
  const asked = { lang: byId("lang").value, q: byId("query").value };
  const started = performance.now();
  tell("Searching ...");
  try {
    const { passages } = await ask("api/search", asked);
    if (number !== latest) return;  // a later query is on its way
    byId("passages").replaceChildren(...passages.map((passage, index) => shown(passage, index + 1, asked)));
    tell(`${passages.length} passages in ${((performance.now() - started) / 1000).toFixed(2)} s`);
  } catch (error) {
    if (number === latest) tell(error.message);
  }
});

ask("api/languages").then(({ languages, passages }) => {
  byId("lang").append(...languages.map(({ code, name }) => element("option", name, { value: code })));
  tell(`${passages.toLocaleString("en")} passages`);
}, (error) => tell(error.message));
