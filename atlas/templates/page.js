"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse($("#evidence").textContent);
  const matrix = $("#matrix");
  const heads = $$("thead th[data-arch]", matrix);
  const rows = $$("tbody tr", matrix);
  const cellsOf = (row) => $$("td", row);
  const wordOf = (cell) => cell.firstChild.textContent;

  // Filters. Nothing pressed means everything.
  const arches = $$("#by-arch button");
  const verdicts = $$("#by-verdict button");
  const guest = $("#by-guest");
  const pressed = (chips, key) =>
    chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset[key]);

  function apply() {
    const arch = pressed(arches, "arch");
    const verdict = pressed(verdicts, "verdict");
    const wanted = (names, name) => names.length === 0 || names.includes(name);
    const shown = heads.map((head) =>
      wanted(arch, head.dataset.arch) && (!guest || head.dataset.guest === guest.value));
    const counts = {};
    let left = "";
    heads.forEach((head, at) => {
      head.hidden = !shown[at];
      // The line between architectures is drawn where both sides of it are to be seen.
      const edge = shown[at] && left !== "" && left !== head.dataset.arch;
      head.classList.toggle("edge", edge);
      if (shown[at]) left = head.dataset.arch;
    });
    let flags = 0;
    for (const row of rows) {
      let found = false;
      cellsOf(row).forEach((cell, at) => {
        const word = wordOf(cell);
        cell.hidden = !shown[at];
        cell.classList.toggle("edge", heads[at].classList.contains("edge"));
        cell.classList.toggle("other", !wanted(verdict, word));
        if (shown[at]) {
          counts[word] = (counts[word] || 0) + 1;
          found = found || wanted(verdict, word);
        }
      });
      row.hidden = !found;
      flags += found ? 1 : 0;
    }
    for (const chip of verdicts) $("b", chip).textContent = counts[chip.dataset.verdict] || 0;
    for (const count of $$(".legend .count")) count.textContent = counts[count.dataset.verdict] || 0;
    const kernels = shown.filter(Boolean).length;
    $("#state").textContent = `${flags} of ${rows.length} flags, ${kernels} of ${heads.length} columns`;
    $("#everything").hidden = arch.length + verdict.length === 0;
    stop(visible()[0]);
  }

  for (const chip of [...arches, ...verdicts]) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
      apply();
    });
  }
  if (guest) guest.addEventListener("change", apply);
  $("#everything").addEventListener("click", () => {
    for (const chip of [...arches, ...verdicts]) chip.setAttribute("aria-pressed", "false");
    apply();
    arches[0].focus();
  });

  // One cell is a stop of the Tab key; the arrow keys move it.
  let current = null;
  const visible = () => $$("tbody tr:not([hidden]) td:not([hidden]) button", matrix);

  function stop(button) {
    if (current) current.tabIndex = -1;
    current = button || null;
    if (current) current.tabIndex = 0;
  }

  matrix.addEventListener("focusin", (event) => {
    if (event.target.matches("td button")) stop(event.target);
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

  // Scrolls a cell out from under the head and the first column.
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

  // Evidence. Every text goes in as text.
  const dialog = $("#cell");
  const text = (number) => data.texts[number];
  const element = (name, content) => Object.assign(document.createElement(name), { textContent: content });

  function open(button) {
    const cell = button.parentElement;
    const row = cell.parentElement;
    const column = data.columns[cell.cellIndex - 1];
    const found = column.flags[rows.indexOf(row)];
    const flag = $("code", row).textContent;
    const word = wordOf(cell);
    $("#cell-title").textContent = `${flag} on ${column.kernel}`;
    $(".word", dialog).textContent = word;
    $(".word", dialog).className = `word ${found ? word : ""}`;
    $(".where", dialog).textContent = `as ${column.guest}${column.made ? `, ${column.made}` : ""}`;
    const [[value, since, , code, reason], contexts, calls] = found || [[], [], []];
    $(".reason", dialog).textContent = found ? `${text(reason)}.` : "That version of mapprobe did not ask about it.";
    const facts = found ? [["Value", text(value)], ["Since", text(since)], ["Reason code", text(code)]] : [];
    for (const lie of column.environment) facts.push(["Not a plain kernel", lie.join(": ")]);
    $(".facts", dialog).replaceChildren(...facts.flatMap(([key, fact]) => [element("dt", key), element("dd", fact)]));
    $(".contexts tbody", dialog).replaceChildren(...contexts.map((context) => {
      const line = document.createElement("tr");
      line.append(...context.map((number) => element("td", text(number))));
      return line;
    }));
    $(".calls", dialog).replaceChildren(...calls.map((number) => element("li", text(number))));
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
    stop(button);
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
