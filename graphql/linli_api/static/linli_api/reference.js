// Shows only what holds the words that are typed, and opens what an address points at.
const entries = [...document.querySelectorAll(".reference .entry")];
const sections = [...document.querySelectorAll(".reference section")];
const found = document.getElementById("found");

document.getElementById("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of entries) {
    const text = entry.textContent.toLowerCase();
    entry.hidden = !words.every((word) => text.includes(word));
  }
  for (const section of sections) {
    section.hidden = words.length > 0 && !section.querySelector(".entry:not([hidden])");
  }
  const left = entries.filter((entry) => !entry.hidden).length;
  found.hidden = words.length === 0;
  found.textContent = left ? `${left} / ${entries.length}` : found.dataset.none;
});

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const entry = target?.closest(".entry");
  if (entry) entry.open = true;
  // What a link leads to is shown, though it holds nothing of what is searched for.
  for (const kept of [entry, target?.closest("section")]) if (kept) kept.hidden = false;
  target?.scrollIntoView();
}

addEventListener("hashchange", open);
open();
