"use strict";
// A timeline that zooms. Of what is in sight, jobs that would be narrower than a pixel or two are drawn together, so that a
// page with tens of thousands of jobs stays quick.
const drawTimeline = (canvas, timeline, options, narrow) => {
  const colours = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#7A6FB0"];
  const grey = "#9AA3AD", parts = Math.max(150, canvas.clientWidth / 2);
  const names = { qk: "Q x K", pv: "P x V", "qk without a task": "Q x K has a task", topk: "top-k", "cascade topk": "cascade top-k" };
  const tracks = timeline.tracks.map((track) => {
    let now = 0;
    const from = track.from.map((step) => (now += step));
    return { ...track, name: names[track.name] || track.name, from, to: from.map((start, i) => start + track.cycles[i]) };
  });
  const end = Math.max(...tracks.map((track) => track.to.reduce((a, b) => Math.max(a, b), 0)));
  const begin = Math.min(...tracks.map((track) => track.from[0]));
  const told = (track, i) => {
    const parts = [];
    if (track.step[i] >= 0) parts.push(`step ${track.step[i]}`);
    if (track.layer[i] >= 0) parts.push(`layer ${track.layer[i]}`);
    if (track.head[i] >= 0) parts.push(`KV head ${track.head[i]}`);
    const busy = track.busy[i] < track.cycles[i] ? `, busy in ${track.busy[i].toLocaleString("en")}` : "";
    return `<b>${track.name}</b>: ${parts.join(", ") || "no job"}<br>cycles ${track.from[i].toLocaleString("en")} to ${track.to[i].toLocaleString("en")}: ${track.cycles[i].toLocaleString("en")}${busy}`;
  };
  const colour = (track, i) => (track.head[i] >= 0 ? colours[track.head[i] % colours.length] : track.layer[i] < 0 ? (track.step[i] < 0 ? grey : ["#56B4E9", "#0072B2"][track.step[i] % 2]) : ["#56B4E9", "#0072B2"][track.layer[i] % 2]);
  const bars = (low, high) => {
    const least = (high - low) / parts;
    const made = { y: [], base: [], x: [], colour: [], text: [] };
    const put = (track, start, stop, shade, text) => {
      made.y.push(track.name), made.base.push(start), made.x.push(stop - start), made.colour.push(shade), made.text.push(text);
    };
    for (const track of tracks) {
      let group = null; // of small jobs that follow each other closely
      const flush = () => {
        if (group) put(track, group.from, group.to, group.n > 1 && !group.same ? grey : colour(track, group.at), group.n > 1 ? `<b>${track.name}</b>: ${group.n} jobs, cycles ${group.from.toLocaleString("en")} to ${group.to.toLocaleString("en")}: zoom in` : told(track, group.at));
        group = null;
      };
      track.from.forEach((start, i) => {
        const stop = track.to[i];
        if (stop < low || start > high) return;
        if (stop - start >= least) return flush(), put(track, start, stop, colour(track, i), told(track, i));
        if (group && start - group.to < least && start - group.from < 4 * least) {
          group.same = group.same && colour(track, i) === colour(track, group.at);
          group.to = Math.max(stop, group.to), group.n += 1;
        } else {
          flush();
          group = { from: start, to: stop, n: 1, at: i, same: true };
        }
      });
      flush();
    }
    return made;
  };
  const height = 90 + (narrow ? 26 : 30) * tracks.length;
  const layout = (low, high) => ({
    font: { family: "system-ui, sans-serif", size: narrow ? 11 : 13, color: "#1B2733" },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 8, r: 12, t: 8, b: 8 }, height, bargap: 0.25,
    dragmode: narrow ? false : "zoom", hovermode: "closest", showlegend: false,
    xaxis: { title: { text: "clock cycle" }, range: [low, high], automargin: true, gridcolor: "#E4E8EC", tickformat: ",d", nticks: narrow ? 4 : 9 },
    yaxis: { type: "category", categoryorder: "array", categoryarray: tracks.map((track) => track.name), autorange: "reversed", fixedrange: true, automargin: true },
  });
  let now = [begin, end];
  const show = (low, high) => {
    const wide = Math.min(Math.max(high - low, 20), end - begin);
    const start = Math.min(Math.max(low, begin), end - wide);
    now = [start, start + wide];
    const made = bars(...now);
    const data = [{ type: "bar", orientation: "h", y: made.y, base: made.base, x: made.x, marker: { color: made.colour, line: { width: 0 } }, customdata: made.text, hovertemplate: "%{customdata}<extra></extra>", textposition: "none" }];
    canvas.style.height = height + "px";
    canvas.dataset.low = Math.round(now[0]), canvas.dataset.high = Math.round(now[1]), canvas.dataset.bars = made.y.length;
    return Plotly.react(canvas, data, layout(...now), options);
  };
  show(begin, end);
  canvas.on("plotly_relayout", (change) => {
    if (change["xaxis.autorange"]) show(begin, end);
    else if ("xaxis.range[0]" in change) show(change["xaxis.range[0]"], change["xaxis.range[1]"]);
  });
  const moves = {
    in: ([a, b]) => [a + (b - a) / 4, b - (b - a) / 4],
    out: ([a, b]) => [a - (b - a) / 2, b + (b - a) / 2],
    left: ([a, b]) => [a - (b - a) / 2, b - (b - a) / 2],
    right: ([a, b]) => [a + (b - a) / 2, b + (b - a) / 2],
    all: () => [begin, end],
  };
  document.querySelectorAll(`button[data-for="${canvas.id}"]`).forEach((button) =>
    button.addEventListener("click", () => show(...moves[button.dataset.move](now))));
};
