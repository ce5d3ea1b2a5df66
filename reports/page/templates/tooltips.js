"use strict";
// Shows the nearest point of a chart: by mouse, or by a finger, which may still scroll the page.
(() => {
  const points = JSON.parse(document.getElementById("tooltips").textContent);

  function added(parent, className) {
    const element = parent.appendChild(document.createElement("div"));
    element.className = className;
    element.hidden = true;
    return element;
  }

  function nearest(series, shown, width, height, x, y) {
    let best = null;
    series.forEach((list, index) => {
      for (const [left, top, what, value] of shown[index].checked ? list : []) {
        const at = { x: (left * width) / 100, y: (top * height) / 100, index, what, value };
        at.distance = Math.hypot(at.x - x, at.y - y);
        if (best === null || at.distance < best.distance) best = at;
      }
    });
    return best;
  }

  for (const [name, series] of Object.entries(points)) {
    const chart = document.getElementById(name);
    const plot = chart.querySelector(".plot");
    const area = plot.querySelector("svg");
    const shown = chart.querySelectorAll(".legend input");
    const ring = added(plot, "ring");
    const tip = added(plot, "tip");

    function show(event) {
      const box = area.getBoundingClientRect();
      const frame = plot.getBoundingClientRect();
      const at = nearest(series, shown, box.width, box.height, event.clientX - box.left, event.clientY - box.top);
      ring.hidden = tip.hidden = at === null;
      if (at === null) return;
      const label = shown[at.index].parentNode.textContent;
      tip.textContent = `${label} ${at.what}\n${at.value}`;
      const x = box.left - frame.left + at.x;
      const y = box.top - frame.top + at.y;
      ring.style.left = `${x}px`;
      ring.style.top = `${y}px`;
      tip.style.left = `${Math.max(0, Math.min(x + 12, frame.width - tip.offsetWidth))}px`;
      tip.style.top = `${y > tip.offsetHeight + 12 ? y - tip.offsetHeight - 12 : y + 12}px`;
    }

    function hide() {
      ring.hidden = tip.hidden = true;
    }

    plot.addEventListener("pointermove", show);
    plot.addEventListener("pointerdown", show);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("pointercancel", hide);
  }
})();
