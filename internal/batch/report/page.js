"use strict";
// Shows the users of the data element in the table: filtered, sorted, a piece at
// a time, so that 100,000 of them stay quick. Text is only ever set as text.
(() => {
  const ADDRESS = 0, OUTCOME = 1, GROUP = 2, DETAIL = 3, HINT = 4, WHERE = 5, WHEN = 6, END = 7;
  const FAILED = 2;
  const FIRST = 200, MORE = 1000, PRINTED = 2000;

  const at = (id) => document.getElementById(id);
  const { outcomes, groups, users } = JSON.parse(at("data").textContent);
  const find = at("find"), outcome = at("outcome"), reason = at("reason");
  const count = new Intl.NumberFormat("en");
  let matching = [], limit = FIRST, column = -1, descending = false, typing;

  const groupOf = (user) => groups[user[GROUP]] || { reason: "", hint: "" };
  const hintOf = (user) => user[HINT] || groupOf(user).hint;
  const time = (seconds) => seconds ? new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ") : "";

  function element(name, text, className) {
    const node = document.createElement(name);
    node.textContent = text;
    if (className) node.className = className;
    return node;
  }

  function row(user) {
    const line = document.createElement("tr");
    const address = element("th", user[ADDRESS]);
    address.scope = "row";
    const detail = element("td", user[DETAIL]);
    const hint = hintOf(user);
    if (hint) detail.append(element("span", hint, "hint"));
    line.append(address, element("td", outcomes[user[OUTCOME]]), element("td", groupOf(user).reason), detail,
      element("td", user[WHERE]), element("td", time(user[WHEN])), element("td", time(user[END]).slice(0, 10)));
    return line;
  }

  function draw() {
    const lines = document.createDocumentFragment();
    for (const user of matching.slice(0, limit)) lines.append(row(user));
    at("rows").replaceChildren(lines);
    const shown = Math.min(limit, matching.length);
    at("shown").textContent = shown < matching.length
      ? `${count.format(shown)} of ${count.format(matching.length)} matching users shown, of ${count.format(users.length)}`
      : `${count.format(matching.length)} of ${count.format(users.length)} users`;
    at("more").hidden = shown === matching.length;
  }

  function keyOf(user) {
    return column === GROUP ? groupOf(user).reason : column === OUTCOME ? outcomes[user[OUTCOME]] : user[column];
  }

  function compare(a, b) {
    const x = keyOf(a), y = keyOf(b);
    return (x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1);
  }

  function filter() {
    clearTimeout(typing);
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    matching = users.filter((user) => {
      if (outcome.value !== "" && user[OUTCOME] !== Number(outcome.value)) return false;
      if (reason.value !== "" && user[GROUP] !== Number(reason.value)) return false;
      if (words.length === 0) return true;
      const text = [user[ADDRESS], groupOf(user).reason, user[DETAIL], hintOf(user), user[WHERE]].join("\n").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    if (column >= 0) matching.sort(compare);
    limit = FIRST;
    draw();
  }

  function sortBy(button) {
    const wanted = Number(button.dataset.column);
    descending = column === wanted && !descending;
    column = wanted;
    for (const heading of document.querySelectorAll("#table thead th")) heading.removeAttribute("aria-sort");
    button.closest("th").setAttribute("aria-sort", descending ? "descending" : "ascending");
    filter();
  }

  function option(select, value, text) {
    const choice = element("option", text);
    choice.value = value;
    select.append(choice);
  }

  outcomes.forEach((name, i) => { if (users.some((user) => user[OUTCOME] === i)) option(outcome, i, name); });
  groups.forEach((group, i) => option(reason, i, group.reason));
  if (users.some((user) => user[OUTCOME] === FAILED)) outcome.value = FAILED;

  find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filter, 120); });
  outcome.addEventListener("change", () => { if (outcome.value !== String(FAILED)) reason.value = ""; filter(); });
  reason.addEventListener("change", () => { if (reason.value !== "") outcome.value = FAILED; filter(); });
  at("filter").addEventListener("submit", (event) => event.preventDefault());
  at("more").addEventListener("click", () => { limit += MORE; draw(); });
  for (const button of document.querySelectorAll("#table thead button")) button.addEventListener("click", () => sortBy(button));
  for (const button of document.querySelectorAll("button.show")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      find.value = "";
      outcome.value = FAILED;
      reason.value = button.dataset.group;
      filter();
      at("users").scrollIntoView();
    });
  }
  addEventListener("beforeprint", () => { limit = Math.max(limit, PRINTED); draw(); });
  at("filter").hidden = at("table").hidden = false;
  filter();
})();
