// Draws every plot when it can be seen: at once, or when the part that it stands in is opened. Tells what the words did.
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const survivals = JSON.parse(document.getElementById("survivals").textContent);
  const drawn = new Set();
  const narrow = () => window.innerWidth < 480;

  const fitted = (data, layout) => {
    const fit = structuredClone(layout);
    if (!narrow()) return fit;
    fit.font.size = 11;
    fit.height = layout.height + (layout.showlegend === false ? 0 : 17 * data.length); // a legend has a line an entry there
    return fit;
  };
  const draw = (canvas) => {
    if (drawn.has(canvas.id) || canvas.closest("details:not([open])")) return;
    drawn.add(canvas.id);
    const options = { responsive: true, displaylogo: false, displayModeBar: false };
    const { data, layout, timeline } = plots[canvas.id];
    if (timeline) return drawTimeline(canvas, timeline, options, narrow());
    const fit = fitted(data, layout);
    canvas.style.height = fit.height + "px";
    Plotly.newPlot(canvas, data, fit, options);
  };
  const drawAll = () => document.querySelectorAll(".canvas").forEach(draw);
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", drawAll));
  document.querySelectorAll('nav a[href^="#run-"]').forEach((link) =>
    link.addEventListener("click", () => {
      const part = document.querySelector(link.getAttribute("href") + " > details");
      if (part) part.open = true;
    }));
  drawAll();

  const percent = (share) => (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0) + " %";
  document.querySelectorAll(".words").forEach((box) => {
    const { layers, live, used } = survivals[box.dataset.run];
    const words = [...box.querySelectorAll(".text span")];
    const kind = box.querySelector("select"), slider = box.querySelector("input"), said = box.querySelector("output"), told = box.querySelector(".told");
    const show = () => {
      const at = Number(slider.value);
      const rows = kind.value === "live" ? live : used;
      let living = 0, reading = 0;
      words.forEach((word, token) => {
        const share = at < 0 ? rows.reduce((sum, row) => sum + row[token], 0) / rows.length : rows[at][token];
        const alive = at < 0 || live[at][token] > 0;
        living += alive;
        reading += at < 0 ? share > 0 : used[at][token] > 0;
        word.style.background = share > 0 ? `rgba(0, 114, 178, ${(0.06 + 0.54 * share).toFixed(3)})` : "none";
        word.classList.toggle("dead", !alive);
        word.classList.toggle("never", at < 0 && share === 0);
      });
      const n = words.length;
      said.textContent = at < 0
        ? `all layers: ${reading} of ${n} tokens ${kind.value === "live" ? "live" : "are read"} in at least one`
        : `layer ${layers[at]}: ${living} of ${n} tokens live, ${reading} are read`;
      slider.setAttribute("aria-valuetext", said.textContent);
    };
    const tell = (event) => {
      const word = event.target.closest("[data-token]");
      if (!word) return;
      words.forEach((one) => one.classList.toggle("told-of", one === word));
      const token = Number(word.dataset.token);
      const dead = layers.filter((_, i) => live[i][token] === 0);
      const read = layers.filter((_, i) => used[i][token] > 0);
      told.textContent = `Token ${token} ‘${word.textContent.trim() || "line break"}’: ` +
        (dead.length ? `pruned before layer ${dead[0]}` : "lives to the last layer") +
        `; read in ${read.length} of ${layers.length} layers, ` +
        `by ${percent(Number(word.dataset.share))} of heads and queries on average.`;
    };
    slider.addEventListener("input", show);
    kind.addEventListener("input", show);
    box.querySelector(".text").addEventListener("pointerover", tell);
    box.querySelector(".text").addEventListener("click", tell);
    show();
  });
  document.documentElement.dataset.ready = "yes";
})();
