"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse($("#evidence").textContent);
  const matrix = $("#matrix");
  const heads = $$("thead th[data-arch]", matrix);
  const rows = $$("tbody tr", matrix);
  const cellsOf = (row) => $$("td", row);
  const verdictOf = (cell) => cell.firstChild.textContent;

  // Filters. If no chip of a group is pressed, the group does not filter.
  const arches = $$("#by-arch button");
  const verdicts = $$("#by-verdict button");
  const scenario = $("#by-guest");
  const pressed = (chips, key) =>
    chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset[key]);

  function apply() {
    const wantedArches = pressed(arches, "arch");
    const wantedVerdicts = pressed(verdicts, "verdict");
    const wanted = (names, name) => names.length === 0 || names.includes(name);
    const shown = heads.map((head) =>
      wanted(wantedArches, head.dataset.arch) && (!scenario || head.dataset.guest === scenario.value));
    const counts = {};
    let previousArch = "";
    heads.forEach((head, index) => {
      head.hidden = !shown[index];
      // A line separates two architectures if columns of both are shown.
      const edge = shown[index] && previousArch !== "" && previousArch !== head.dataset.arch;
      head.classList.toggle("edge", edge);
      if (shown[index]) previousArch = head.dataset.arch;
    });
    let flags = 0;
    for (const row of rows) {
      let found = false;
      cellsOf(row).forEach((cell, index) => {
        const verdict = verdictOf(cell);
        cell.hidden = !shown[index];
        cell.classList.toggle("edge", heads[index].classList.contains("edge"));
        cell.classList.toggle("other", !wanted(wantedVerdicts, verdict));
        if (shown[index]) {
          counts[verdict] = (counts[verdict] || 0) + 1;
          found = found || wanted(wantedVerdicts, verdict);
        }
      });
      row.hidden = !found;
      flags += found ? 1 : 0;
    }
    for (const chip of verdicts) $("b", chip).textContent = counts[chip.dataset.verdict] || 0;
    for (const count of $$(".legend .count")) count.textContent = counts[count.dataset.verdict] || 0;
    const kernels = shown.filter(Boolean).length;
    $("#state").textContent = `${flags} of ${rows.length} flags, ${kernels} of ${heads.length} columns`;
    $("#everything").hidden = wantedArches.length + wantedVerdicts.length === 0;
    setTabStop(visible()[0]);
  }

  for (const chip of [...arches, ...verdicts]) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
      apply();
    });
  }
  if (scenario) scenario.addEventListener("change", apply);
  $("#everything").addEventListener("click", () => {
    for (const chip of [...arches, ...verdicts]) chip.setAttribute("aria-pressed", "false");
    apply();
    arches[0].focus();
  });

  // One cell is reachable with the Tab key; the arrow keys select another one.
  let current = null;
  const visible = () => $$("tbody tr:not([hidden]) td:not([hidden]) button", matrix);

  function setTabStop(button) {
    if (current) current.tabIndex = -1;
    current = button || null;
    if (current) current.tabIndex = 0;
  }

  matrix.addEventListener("focusin", (event) => {
    if (event.target.matches("td button")) setTabStop(event.target);
  });

  matrix.addEventListener("keydown", (event) => {
    if (!event.target.matches("td button") || event.altKey || event.metaKey) return;
    const lines = rows.filter((row) => !row.hidden).map((row) => $$("td:not([hidden]) button", row));
    const y = lines.findIndex((line) => line.includes(event.target));
    const x = lines[y].indexOf(event.target);
    const last = lines[y].length - 1;
    const to = {
      ArrowLeft: [y, x - 1], ArrowRight: [y, x + 1], ArrowUp: [y - 1, x], ArrowDown: [y + 1, x],
      Home: [event.ctrlKey ? 0 : y, 0], End: [event.ctrlKey ? lines.length - 1 : y, last],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = lines[to[0]] && lines[to[0]][to[1]];
    if (!next) return;
    next.focus({ preventScroll: true });
    reveal(next.parentElement);
  });

  // Scrolls until the head and the first column do not cover the cell.
  function reveal(cell) {
    const box = $("#box").getBoundingClientRect();
    const corner = $(".corner", matrix).getBoundingClientRect();
    const at = cell.getBoundingClientRect();
    const by = (start, end, first, final) => (start < first ? start - first : end > final ? end - final : 0);
    $("#box").scrollBy(
      by(at.left, at.right, box.left + corner.width, box.left + $("#box").clientWidth),
      by(at.top, at.bottom, box.top + corner.height, box.top + $("#box").clientHeight));
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // Evidence. Texts from documents are never inserted as HTML.
  const dialog = $("#cell");
  const text = (index) => data.texts[index];
  const element = (name, content) => Object.assign(document.createElement(name), { textContent: content });

  function open(button) {
    const cell = button.parentElement;
    const row = cell.parentElement;
    const column = data.columns[cell.cellIndex - 1];
    // An array of fields, an array of contexts and an array of calls (`atlas/src/evidence.rs`).
    const finding = column.flags[rows.indexOf(row)];
    const flag = $("code", row).textContent;
    const verdict = verdictOf(cell);
    $("#cell-title").textContent = `${flag} on ${column.kernel}`;
    $(".word", dialog).textContent = verdict;
    $(".word", dialog).className = `word ${finding ? verdict : ""}`;
    $(".where", dialog).textContent = `as ${column.scenario}${column.origin ? `, ${column.origin}` : ""}`;
    const [[value, since, , code, reason], contexts, calls] = finding || [[], [], []];
    $(".reason", dialog).textContent = finding ? `${text(reason)}.` : "The report does not contain this flag.";
    const facts = finding ? [["Value", text(value)], ["Since", text(since)], ["Reason code", text(code)]] : [];
    for (const interference of column.environment) facts.push(["Interference", interference.join(": ")]);
    $(".facts", dialog).replaceChildren(...facts.flatMap(([key, fact]) => [element("dt", key), element("dd", fact)]));
    $(".contexts tbody", dialog).replaceChildren(...contexts.map((context) => {
      const line = document.createElement("tr");
      line.append(...context.map((index) => element("td", text(index))));
      return line;
    }));
    $(".calls", dialog).replaceChildren(...calls.map((index) => element("li", text(index))));
    $(".contexts", dialog).parentElement.hidden = contexts.length === 0;
    $(".contexts", dialog).parentElement.previousElementSibling.hidden = contexts.length === 0;
    $(".calls", dialog).hidden = calls.length === 0;
    $(".calls", dialog).previousElementSibling.hidden = calls.length === 0;
    dialog.showModal();
    $(".sheet", dialog).scrollTop = 0;
    dialog.scrollTop = 0;
  }

  matrix.addEventListener("click", (event) => {
    const button = event.target.closest("td button");
    if (!button) return;
    setTabStop(button);
    open(button);
  });
  $(".close", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => current && current.focus({ preventScroll: true }));

  $(".filters").hidden = false;
  apply();
})();
