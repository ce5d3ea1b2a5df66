"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 40rem)");
  const coarse = matchMedia("(pointer: coarse)").matches; // a finger on a chart scrolls the page
  const LINES = 8;

  function themed(chart) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { gridcolor: color("grid"), linecolor: color("rule"), zeroline: false, automargin: true, fixedrange: coarse };
    const data = chart.data.map((trace) => {
      const ink = color(trace.meta === "all" ? "ink" : `line-${trace.meta % LINES}`);
      return {
        ...trace,
        line: { ...trace.line, color: ink },
        marker: { ...trace.marker, color: ink },
        error_x: trace.error_x && { ...trace.error_x, color: ink },
        error_y: trace.error_y && { ...trace.error_y, color: ink },
      };
    });
    const { xaxis, yaxis, shapes = [], ...rest } = chart.layout;
    const layout = {
      ...rest,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "inherit", size: narrow.matches ? 11 : 12, color: color("ink") },
      margin: { l: 8, r: 12, t: 24, b: 8 },
      dragmode: coarse ? false : "zoom",
      hoverlabel: { bgcolor: color("card"), bordercolor: color("rule"), font: { color: color("ink") } },
      legend: narrow.matches ? { orientation: "h", x: 0, xanchor: "left", y: -0.22, yanchor: "top" } : {},
      showlegend: true,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: color("dim"), activecolor: color("ink") },
      shapes: shapes.map((shape) => ({ ...shape, line: { ...shape.line, color: color(shape.name ?? "good") } })),
      xaxis: { ...axis, ...xaxis },
      yaxis: { ...axis, ...yaxis, minor: { ...yaxis.minor, gridcolor: color("grid") } },
    };
    return [data, layout];
  }

  function draw() {
    for (const [name, chart] of Object.entries(charts)) {
      const [data, layout] = themed(chart);
      // Named, since some of the default ones ask the network.
      const buttons = [["toImage", "zoom2d", "pan2d", "resetScale2d"]];
      const bar = { displaylogo: false, modeBarButtons: buttons, displayModeBar: coarse ? false : "hover" };
      Plotly.react(name, data, layout, { responsive: true, ...bar });
    }
  }

  document.documentElement.classList.add("drawn");
  draw();
  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);
})();
