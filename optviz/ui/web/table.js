// A table of results: as it came, or sorted by the column whose heading was pressed; what is missing stays last.
const ORDERS = ["none", "ascending", "descending"];

function compared(a, b, order) {
  if (a === null || b === null) return (a === null) - (b === null);
  const sign = order === "ascending" ? 1 : -1;
  return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
}

function cell(kind, text, numeric) {
  const made = document.createElement(kind);
  made.className = numeric ? "number" : "";
  made.append(text);
  return made;
}

export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".optviz-table") ?? parentElement.appendChild(document.createElement("div"));
  place.className = "optviz-table";
  place.tabIndex = 0; // a wide table is scrolled by keys, too
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", data.label);
  const sorted = (place.sorted ??= { column: 0, order: "none" }); // kept while numbers change
  if (sorted.column >= data.heads.length) Object.assign(sorted, { column: 0, order: "none" });

  function draw() {
    const rows = data.rows.map((row, i) => ({ row, ink: data.inks[i], glyph: data.glyphs[i] }));
    if (sorted.order !== "none") rows.sort((a, b) => compared(a.row[sorted.column][1], b.row[sorted.column][1], sorted.order));
    const table = document.createElement("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    data.heads.forEach((text, column) => {
      const button = document.createElement("button"), numeric = typeof data.rows[0][column][1] !== "string";
      const order = column === sorted.column ? sorted.order : "none", th = cell("th", button, numeric);
      button.type = "button";
      button.textContent = text;
      button.onclick = () => {
        Object.assign(sorted, { column, order: ORDERS[(ORDERS.indexOf(order) + 1) % ORDERS.length] });
        draw();
        place.querySelectorAll("button")[column].focus();
      };
      th.scope = "col";
      th.setAttribute("aria-sort", order);
      head.append(th);
    });
    for (const { row, ink, glyph } of rows) {
      const tr = body.insertRow();
      row.forEach(([text], column) => {
        const made = cell(column ? "td" : "th", text, typeof data.rows[0][column][1] !== "string");
        if (!column) {
          const mark = document.createElement("span");
          mark.style.color = ink;
          mark.textContent = glyph;
          made.scope = "row";
          made.prepend(mark, " ");
        }
        tr.append(made);
      });
    }
    place.replaceChildren(table);
  }
  draw();
}
