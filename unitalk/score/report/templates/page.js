// Everything on the page can be read without this: it sorts, reads values off curves and copies.
"use strict";

// ---------------------------------------------------------------- sorting

function valueOf(row, column) {
  const text = row.cells[column].textContent;
  if (column === 0) return text;
  const number = Number(text.replaceAll(",", "").replace("\u2212", "-"));
  return Number.isNaN(number) ? null : number; // null: undefined, which is always last
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortBy(table, header) {
  const order = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({
    row,
    value: valueOf(row, header.cellIndex),
    name: valueOf(row, 0),
  }));
  rows.sort((a, b) => {
    if (a.value === null || b.value === null) {
      return (a.value === null) - (b.value === null) || compare(a.name, b.name);
    }
    return sign * compare(a.value, b.value) || compare(a.name, b.name);
  });
  body.append(...rows.map((entry) => entry.row));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(table, header));
    header.append(button);
  }
}

// ---------------------------------------------------------------- values on the curves

for (const figure of document.querySelectorAll("[data-readings]")) {
  const systems = JSON.parse(figure.dataset.readings);
  const plot = figure.querySelector("svg.pr");
  const line = plot.querySelector("line.probe");
  const slider = figure.querySelector("input");
  const said = figure.querySelector("#recall-said");
  const values = figure.querySelector("#values");

  const show = () => {
    const recall = Number(slider.value);
    line.setAttribute("x1", recall + "%");
    line.setAttribute("x2", recall + "%");
    line.removeAttribute("hidden");
    said.textContent = recall + " %";
    const texts = systems.map(
      (system) =>
        (systems.length > 1 ? system.name + ": " : "") +
        "precision " + system.precision[recall - 1] + " %, threshold " + system.threshold[recall - 1]
    );
    values.replaceChildren(...texts.map((text) => {
      const paragraph = document.createElement("div");
      paragraph.textContent = text;
      return paragraph;
    }));
    slider.setAttribute("aria-valuetext", "recall " + recall + " %; " + texts.join("; "));
  };
  slider.addEventListener("input", show);
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const recall = Math.round((100 * (event.clientX - box.left)) / box.width);
    slider.value = String(Math.min(100, Math.max(1, recall)));
    show();
  });
  figure.querySelector("div.probe").hidden = false;
  show();
}

// ---------------------------------------------------------------- copying

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // A page from a file may have no clipboard, or no permission: then by way of the selection,
    // which also stays visible for the reader to copy by hand.
    const selection = window.getSelection();
    selection.selectAllChildren(source);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  const source = document.getElementById(button.dataset.copies);
  const status = button.parentElement.querySelector("[role=status]");
  button.addEventListener("click", async () => {
    const copied = await copy(source);
    status.textContent = copied ? "Copied." : "Selected: copy it with Ctrl+C.";
  });
  button.hidden = false;
}
