"use strict";
// Sorting, filtering, comparing, tips and permalinks. Without it, the page shows everything in its own order.
(() => {
  const form = document.getElementById("controls");
  const about = JSON.parse(document.getElementById("pesbench-about").textContent);
  const rows = [...document.querySelectorAll("tbody tr[data-about]")];
  for (const row of rows) Object.assign(row.dataset, about[row.dataset.about]);
  const groups = ["kind", "weights", "device"].filter((name) => form.elements[name]);
  let sorted = {}; // by the id of a table: column and direction

  // Sorting, as in the W3C's pattern: a button in the heading, and aria-sort on the heading.
  for (const table of document.querySelectorAll("main table")) {
    table.home = [...table.tBodies[0].rows];
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        sorted[table.id] = [column, down];
        sort(table, column, down);
        remember();
      });
    });
  }

  function sort(table, column, down) {
    const value = (row) => {
      const cell = row.cells[column];
      return cell.dataset.key === undefined ? cell.textContent.trim().toLowerCase() : Number(cell.dataset.key);
    };
    const empty = (found) => found === "" || found === "\u2013";
    const order = [...table.home].sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (empty(a) || empty(b)) return empty(a) - empty(b); // what has no value stays below
      const both = typeof a === "number" && typeof b === "number";
      const found = both ? a - b : typeof a === typeof b ? a.localeCompare(b) : typeof a === "number" ? -1 : 1;
      return down ? -found : found;
    });
    table.tBodies[0].append(...order);
    [...table.tHead.rows[0].cells].forEach((heading, i) => {
      if (i === column) heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
  }

  function unsort() {
    for (const table of document.querySelectorAll("main table")) {
      table.tBodies[0].append(...table.home);
      table.querySelectorAll("[aria-sort]").forEach((heading) => heading.removeAttribute("aria-sort"));
    }
  }

  // Filters: a line is shown where each of its properties is chosen, or is no choice at all.
  const boxes = (name) => [...form.querySelectorAll(`input[name="${name}"]`)];

  function filter() {
    for (const row of rows) {
      row.hidden = groups.some((name) => {
        const box = boxes(name).find((one) => one.value === row.dataset[name]);
        return box !== undefined && !box.checked;
      });
    }
    const there = new Set(rows.map((row) => row.dataset.method));
    const shown = new Set(rows.filter((row) => !row.hidden).map((row) => row.dataset.method));
    hint(shown.size < there.size ? `${shown.size} of ${there.size} methods are shown.` : "");
  }

  function hint(text) {
    const than = form.elements.than;
    const label = than.options[than.selectedIndex].textContent;
    const ratio = than.value ? `\u00d7 is the ratio of a time to that of ${label}: one mean over the other.` : "";
    document.getElementById("hint").textContent = [text, ratio].filter(Boolean).join(" ");
  }

  // How many times slower than a method of the reader's choice, beside each time of the same table and column.
  function compare() {
    document.querySelectorAll(".ratio").forEach((one) => one.remove());
    if (!form.elements.than.value) return;
    for (const table of document.querySelectorAll("main table")) {
      [...table.tHead.rows[0].cells].forEach((heading, column) => {
        if (heading.dataset.compared === undefined) return;
        const of = (row) => Number(row.cells[column].dataset.key ?? NaN);
        const base = table.home.find((row) => row.dataset.method === form.elements.than.value);
        if (base === undefined || Number.isNaN(of(base))) return;
        for (const row of table.home) {
          if (Number.isNaN(of(row))) continue;
          const ratio = document.createElement("span");
          ratio.className = "ratio unit";
          ratio.textContent = `\u00d7 ${(of(row) / of(base)).toPrecision(3)}`;
          row.cells[column].append(ratio);
        }
      });
    }
  }

  // Permalinks: what is chosen stands behind the #, after the section.
  function remember() {
    const parts = [location.hash.slice(1).split(";")[0]];
    for (const name of groups) {
      const off = boxes(name).filter((box) => !box.checked).map((box) => encodeURIComponent(box.value));
      if (off.length) parts.push(`${name}=${off.join(",")}`);
    }
    if (form.elements.than.value) parts.push(`than=${encodeURIComponent(form.elements.than.value)}`);
    for (const [id, [column, down]] of Object.entries(sorted)) parts.push(`${id}=${column}${down ? "d" : "a"}`);
    history.replaceState(null, "", `#${parts.join(";")}`);
  }

  function recall() {
    const [section, ...parts] = location.hash.slice(1).split(";");
    for (const box of form.querySelectorAll("input")) box.checked = true; // reset() would come back here later
    form.elements.than.value = "";
    sorted = {};
    unsort();
    for (const part of parts) {
      const [name, text = ""] = part.split("=");
      const table = document.getElementById(name);
      if (groups.includes(name)) {
        const off = text.split(",").map(decodeURIComponent);
        for (const box of boxes(name)) box.checked = !off.includes(box.value);
      } else if (name === "than") {
        form.elements.than.value = decodeURIComponent(text);
        if (form.elements.than.selectedIndex < 0) form.elements.than.value = "";
      } else if (table instanceof HTMLTableElement && parseInt(text, 10) < table.tHead.rows[0].cells.length) {
        sorted[name] = [parseInt(text, 10), text.endsWith("d")];
        sort(table, ...sorted[name]);
      }
    }
    filter();
    compare();
    if (parts.length && section) document.getElementById(section)?.scrollIntoView();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    filter();
    compare();
    remember();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    sorted = {};
    unsort();
    filter();
    compare();
    remember();
  }));

  // Tips: what a mark of a figure says, for the pointer and for the keyboard.
  const tip = document.getElementById("tip");
  function show(mark) {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const [at, own] = [mark.getBoundingClientRect(), tip.getBoundingClientRect()];
    tip.style.left = `${Math.max(4, Math.min(at.left, innerWidth - own.width - 4))}px`;
    tip.style.top = `${at.top > own.height + 8 ? at.top - own.height - 6 : at.bottom + 6}px`;
  }
  const hide = () => { tip.hidden = true; };
  for (const mark of document.querySelectorAll(".mark")) {
    mark.addEventListener("pointerenter", () => show(mark));
    mark.addEventListener("pointerleave", hide);
    mark.addEventListener("focus", () => show(mark));
    mark.addEventListener("blur", hide);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // The numbers, as files.
  async function unpacked() {
    const packed = atob(document.getElementById("pesbench-data").textContent);
    const bytes = new Blob([Uint8Array.from(packed, (one) => one.charCodeAt(0))]);
    const text = await new Response(bytes.stream().pipeThrough(new DecompressionStream("gzip"))).text();
    return JSON.parse(text);
  }
  function save(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  document.getElementById("downloads").addEventListener("click", async (event) => {
    const kind = event.target.dataset.form;
    const numbers = await unpacked();
    if (kind === "json") save("pesbench.json", JSON.stringify(numbers, null, 1), "application/json");
    if (kind === "csv") {
      for (const run of numbers.runs) {
        for (const [name, table] of Object.entries(run.tables)) save(`${run.name}-${name}.csv`, table.csv, "text/csv");
      }
    }
  });

  form.hidden = !groups.length && form.elements.than.options.length < 2; // nothing to choose
  document.getElementById("downloads").hidden = false;
  addEventListener("hashchange", () => { if (location.hash.includes(";")) recall(); });
  recall();
})();
