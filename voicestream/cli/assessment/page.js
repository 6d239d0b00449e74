"use strict";
// A word that is clicked is played; Escape hides the sounds of a word. Without this script the page is as readable.
const audio = document.querySelector("audio");
let end = Infinity, playing = [];

function mark(elements) {
  for (const element of playing) element.classList.remove("playing");
  playing = elements;
  for (const element of playing) element.classList.add("playing");
}

function watch() {
  if (audio.currentTime >= end || audio.paused) {
    if (audio.currentTime >= end) audio.pause();
    end = Infinity;
    mark([]);
  } else {
    requestAnimationFrame(watch);
  }
}

document.addEventListener("click", (event) => {
  const word = event.target.closest("[data-start]");
  if (!word || !audio) return;
  audio.currentTime = Math.max(0, word.dataset.start - 0.05);
  end = Number(word.dataset.end) + 0.05;
  mark([...document.querySelectorAll(`[data-start="${word.dataset.start}"]`)]);
  audio.play().then(watch, () => mark([]));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.body.classList.add("dismissed");
});
for (const type of ["mouseover", "focusin"]) {
  document.addEventListener(type, (event) => {
    if (event.target.closest(".word")) document.body.classList.remove("dismissed");
  });
}
