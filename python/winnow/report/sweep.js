"use strict";
// Draws a sweep's points over any two of its figures, and tells of the one that is chosen.
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const sweep = JSON.parse(document.getElementById("sweep").textContent);
  const byNumber = new Map(sweep.points.map((point) => [point.n, point]));
  const narrow = () => window.innerWidth < 480;
  const options = { responsive: true, displaylogo: false, displayModeBar: false };
  const axis = { automargin: true, gridcolor: "#E4E8EC", zerolinecolor: "#B8C0C8", linecolor: "#B8C0C8" };
  const base = () => ({
    font: { family: "system-ui, sans-serif", size: narrow() ? 11 : 13, color: "#1B2733" },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, hovermode: "closest",
    margin: { l: 8, r: 12, t: 8, b: 8 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
  });
  // In the order of drawing: what matters lies on top.
  const kinds = [
    ["over", "over a limit", { symbol: "circle-open", color: "#9AA3AD", size: 7 }],
    ["first", `measured by ${sweep.fidelities[0]}`, { symbol: "circle", color: "#56B4E9", size: 8, line: { color: "white", width: 0.5 } }],
    ["on", "went on, and something beats it", { symbol: "square", color: "#0072B2", size: 9, line: { color: "white", width: 1 } }],
    ["front", "the front", { symbol: "diamond", color: "#D55E00", size: 12, line: { color: "white", width: 1 } }],
  ];
  const shown = (column, value) => (value === null ? null : value / sweep.columns[column].divisor);
  const words = (point) => sweep.parameters.map((name, i) => `${name} ${point.values[i]}`);
  const told = (point) => [`<b>point ${point.n}</b>`, ...words(point), ...sweep.columns.map((c, i) => `${c.name}: ${point.texts[i]}`).filter((_, i) => point.figures[i] !== null)].join("<br>");
  let chosen = null;

  const front = document.getElementById("plot-front");
  const x = document.getElementById("axis-x"), y = document.getElementById("axis-y"), metric = document.getElementById("axis-slices");
  const drawFront = () => {
    const [a, b] = [Number(x.value), Number(y.value)];
    const seen = sweep.points.filter((point) => point.figures[a] !== null && point.figures[b] !== null);
    const traces = kinds.map(([kind, name, marker]) => {
      const points = seen.filter((point) => point.kind === kind);
      return {
        type: "scatter", mode: "markers", name: `${name} (${points.length})`, marker,
        x: points.map((point) => shown(a, point.figures[a])), y: points.map((point) => shown(b, point.figures[b])),
        customdata: points.map((point) => point.n), text: points.map(told), hovertemplate: "%{text}<extra></extra>",
      };
    }).filter((trace) => trace.x.length);
    const mine = seen.filter((point) => point.n === chosen);
    traces.push({
      type: "scatter", mode: "markers", name: "chosen", showlegend: false, hoverinfo: "skip",
      marker: { symbol: "circle-open", size: 20, color: "#1B2733", line: { width: 2.5 } },
      x: mine.map((point) => shown(a, point.figures[a])), y: mine.map((point) => shown(b, point.figures[b])),
    });
    const layout = {
      ...base(), height: narrow() ? 430 : 480,
      xaxis: { ...axis, title: { text: sweep.columns[a].title } }, yaxis: { ...axis, title: { text: sweep.columns[b].title } },
    };
    front.style.height = layout.height + "px";
    Plotly.react(front, traces, layout, options);
  };
  const choose = (number) => {
    const point = byNumber.get(number);
    if (!point) return;
    chosen = number;
    const figures = sweep.columns.map((c, i) => (point.figures[i] === null ? null : `${c.name}: ${point.texts[i]}`)).filter(Boolean);
    document.getElementById("told").textContent = `Point ${number}: ${words(point).join(", ")}. ${figures.join("; ")}.`;
    document.getElementById("command").textContent = point.command;
    document.querySelectorAll("tr.chosen").forEach((row) => row.classList.remove("chosen"));
    const button = document.querySelector(`button[data-point="${number}"]`);
    if (button) button.closest("tr").classList.add("chosen");
    drawFront();
  };

  const slices = document.getElementById("plot-slices");
  const drawSlices = () => {
    const m = Number(metric.value), n = sweep.parameters.length;
    const columns = narrow() ? 1 : Math.min(3, n), rows = Math.ceil(n / columns);
    const seen = sweep.points.filter((point) => point.figures[m] !== null);
    const layout = { ...base(), showlegend: false, height: 60 + (narrow() ? 210 : 260) * rows, grid: { rows, columns, pattern: "independent", xgap: 0.16, ygap: narrow() ? 0.42 : 0.34 } };
    layout.margin = { l: narrow() ? 52 : 60, r: 12, t: 12, b: 50 };
    const traces = [];
    sweep.parameters.forEach((name, i) => {
      const suffix = i ? String(i + 1) : "";
      const numeric = seen.every((point) => point.values[i] !== "" && Number.isFinite(Number(point.values[i])));
      const values = [...new Set(seen.map((point) => point.values[i]))].sort((p, q) => (numeric ? Number(p) - Number(q) : p < q ? -1 : 1));
      const few = !numeric || values.length <= 5;
      kinds.forEach(([kind, label, marker]) => {
        const points = seen.filter((point) => point.kind === kind);
        if (!points.length) return;
        traces.push({
          type: "scatter", mode: "markers", name: label, marker: { ...marker, size: marker.size * 0.7 }, xaxis: "x" + suffix, yaxis: "y" + suffix,
          // Of a few values, points stand beside each other by their number, so that they do not cover each other.
          x: points.map((point) => (few ? values.indexOf(point.values[i]) + (((point.n * 7) % 11) - 5) / 22 : Number(point.values[i]))),
          y: points.map((point) => shown(m, point.figures[m])), customdata: points.map((point) => point.n), text: points.map(told),
          hovertemplate: "%{text}<extra></extra>",
        });
      });
      layout["xaxis" + suffix] = { ...axis, automargin: false, title: { text: name, standoff: 6 }, ...(few ? { tickvals: values.map((_, k) => k), ticktext: values, range: [-0.6, values.length - 0.4] } : {}) };
      layout["yaxis" + suffix] = { ...axis, automargin: false, nticks: 5, ...(i % columns ? {} : { title: { text: sweep.columns[m].title.split(" by ")[0] + sweep.columns[m].title.slice(sweep.columns[m].title.lastIndexOf(",")) } }) };
    });
    slices.style.height = layout.height + "px";
    Plotly.react(slices, traces, layout, options);
  };

  for (const [key, { data, layout }] of Object.entries(plots)) {
    const canvas = document.getElementById(key), fit = structuredClone(layout);
    if (narrow()) fit.font.size = 10;
    Plotly.newPlot(canvas, data, fit, options);
  }
  if (front) {
    [x.value, y.value] = sweep.axes;
    metric.value = sweep.axes[1];
    drawFront();
    drawSlices();
    for (const canvas of [front, slices])
      canvas.on("plotly_click", (event) => choose(event.points[0].customdata));
    [x, y].forEach((one) => one.addEventListener("input", drawFront));
    metric.addEventListener("input", drawSlices);
    document.querySelectorAll("button[data-point]").forEach((button) => button.addEventListener("click", () => choose(Number(button.dataset.point))));
    const first = document.querySelector("button[data-point]");
    if (first) choose(Number(first.dataset.point));
  }
  document.documentElement.dataset.ready = "yes";
})();
