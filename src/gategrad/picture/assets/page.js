"use strict";
// One number says everything: 0 is the overview, 1 to n are the steps. `show` draws that state from scratch.
(function () {
  const story = JSON.parse(document.getElementById("story").textContent);
  const steps = story.steps;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const words = one(".words"), where = one(".where"), facts = one(".facts"), progress = one("progress");
  const gates = all("[data-gate]"), forward = all(".gg-forward"), backward = all(".gg-backward"), lines = all(".gg-line");
  const buttons = Object.fromEntries(all("[data-go]").map((button) => [button.dataset.go, button]));
  let now = 0;

  const number = (element) => Number(element.dataset.wire);

  function show(next) {
    now = Math.max(0, Math.min(steps.length, next));
    const step = steps[now - 1];
    const known = { forward: new Set(), backward: new Set() };
    for (const past of steps.slice(0, now)) past.shows.forEach((wire) => known[past.phase].add(wire));
    for (const element of forward) element.classList.toggle("gg-unknown", now > 0 && !known.forward.has(number(element)));
    for (const element of backward) element.classList.toggle("gg-unknown", now > 0 && !known.backward.has(number(element)));
    for (const line of lines) line.classList.toggle("gg-now", Boolean(step) && step.along.includes(number(line)));
    for (const gate of gates) gate.classList.toggle("gg-now", Boolean(step) && Number(gate.dataset.gate) === step.gate);
    document.body.className = step ? step.phase : "";
    say(step ? step.words : story.overview);
    const length = steps.length / 2;
    where.textContent = !step ? "overview"
      : step.phase === "forward" ? `forward ${now} of ${length}` : `backward ${now - length} of ${length}`;
    progress.max = Math.max(1, steps.length);
    progress.value = now;
    buttons.first.disabled = buttons.back.disabled = now === 0;
    buttons.on.disabled = buttons.last.disabled = now === steps.length;
    if (step) { tell(step.gate); bring(gates.find((gate) => Number(gate.dataset.gate) === step.gate)); }
    else facts.hidden = true;
  }

  function say(sentence) {
    words.replaceChildren(...sentence.split("; ").map((clause) => {
      const line = document.createElement("span");
      line.textContent = clause;
      return line;
    }));
  }

  function tell(gate) {
    const [head, ...rest] = story.gates[gate];
    const title = document.createElement("strong");
    title.textContent = head;
    facts.replaceChildren(title, ...rest.map((line) => {
      const code = document.createElement("code");
      code.textContent = line;
      return code;
    }));
    facts.hidden = false;
  }

  function bring(gate) {
    const frame = one(".drawing"), box = gate.getBoundingClientRect(), sight = frame.getBoundingClientRect();
    if (box.left < sight.left + 60 || box.right > sight.right - 120)
      frame.scrollLeft += box.left - sight.left - sight.width / 2;
  }

  const go = { first: () => show(0), back: () => show(now - 1), on: () => show(now + 1), last: () => show(steps.length) };
  const keys = { Home: "first", ArrowLeft: "back", ArrowRight: "on", End: "last" };
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", go[name]);
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in keys)) return;
    event.preventDefault();
    go[keys[event.key]]();
  });
  for (const gate of gates) {
    const index = Number(gate.dataset.gate);
    for (const kind of ["mouseenter", "focus", "click"]) gate.addEventListener(kind, () => tell(index));
  }
  show(Number(location.hash.replace("#step-", "")) || 0);  // a link may point at a step
})();
