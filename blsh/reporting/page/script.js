"use strict";
// A click on a column's name sorts the rows by it; cells without a value stay last in either direction.
document.querySelectorAll("th button").forEach(function (button) {
  button.addEventListener("click", function () {
    const head = button.parentNode, body = head.closest("table").tBodies[0];
    const place = head.cellIndex, up = head.getAttribute("aria-sort") !== "ascending";
    const value = (row) => row.cells[place].dataset.value;
    function compare(a, b) {
      const x = value(a), y = value(b);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
      return up ? order : -order;
    }
    Array.from(body.rows).sort(compare).forEach(function (row) {
      row.classList.remove("rule");
      body.appendChild(row);
    });
    Array.from(head.parentNode.cells).forEach((cell) => cell.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  });
});

// A long table can be cut down to the rows of one verdict.
document.querySelectorAll(".filter").forEach(function (label) {
  const choice = label.querySelector("select");
  label.hidden = false;
  choice.addEventListener("change", function () {
    document.querySelectorAll("table." + choice.dataset.table + " tbody tr").forEach(function (row) {
      row.hidden = choice.value !== "" && row.dataset.verdict !== choice.value;
    });
  });
});

// One sound at a time; without this script each sound has the browser's own controls.
const tracks = Array.from(document.querySelectorAll(".track"));
tracks.forEach(function (track) {
  const sound = track.querySelector("audio"), button = track.querySelector("button");
  const picture = track.querySelector(".spectrogram"), line = picture.querySelector("i");
  function show() {
    const playing = !sound.paused;
    track.classList.toggle("playing", playing);
    button.setAttribute("aria-pressed", String(playing));
    button.textContent = playing ? "❚❚" : "▶";
  }
  function move() {
    line.style.left = sound.duration > 0 ? (100 * sound.currentTime) / sound.duration + "%" : "0";
    if (!sound.paused) requestAnimationFrame(move);
  }
  sound.controls = false;
  button.hidden = false;
  button.addEventListener("click", function () {
    if (sound.paused) sound.play(); else sound.pause();
  });
  picture.addEventListener("click", function (event) {
    const share = event.offsetX / picture.clientWidth;
    if (sound.duration > 0) sound.currentTime = share * sound.duration;
    if (sound.paused) sound.play();
  });
  sound.addEventListener("play", function () {
    tracks.forEach((other) => { if (other !== track) other.querySelector("audio").pause(); });
    show();
    move();
  });
  ["pause", "ended"].forEach((name) => sound.addEventListener(name, show));
});
