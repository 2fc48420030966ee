  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const config = { displayModeBar: false, responsive: true };
  // On touch screens, dragging scrolls the page instead of zooming.
  const dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
  const drawn = new Set();

  function look() {
    const style = getComputedStyle(document.body);
    return {
      font: { color: style.color, family: "system-ui, sans-serif", size: 12 },
      hoverlabel: { bgcolor: style.backgroundColor, bordercolor: style.color, align: "left",
                    font: { color: style.color, family: "system-ui, sans-serif" } },
    };
  }

  function axis(options) {
    return { gridcolor: "rgba(128,128,128,0.25)", zerolinecolor: "rgba(128,128,128,0.7)", linecolor: "rgba(128,128,128,0.7)",
             automargin: false, ...options };
  }

  // ---- matrices

  async function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed.data), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const { rows, columns, symmetric } = packed, count = rows * columns, cells = new Int16Array(count);
    for (let i = 0, sum = 0; i < count; i++) cells[i] = sum += planes[i] | (planes[count + i] << 8);
    return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => {
      const mirrored = symmetric && row > column;
      const cell = cells[mirrored ? column * columns + row : row * columns + column];
      return cell === -32768 ? null : cell / 1000;
    }));
  }

  const unpacked = new Map();
  function matrix(number) {
    if (number === undefined) return Promise.resolve(null);
    if (!unpacked.has(number)) unpacked.set(number, unpack(data.maps.matrices[number]));
    return unpacked.get(number);
  }

  // ---- heatmaps

  let view = null;
  const panels = data.maps ? data.maps.panels.map((panel) => ({
    ...panel, div: byId("map-" + panel.key), vertical: data.maps.models[panel.rows], horizontal: data.maps.models[panel.columns],
  })) : [];

  const line = (x0, y0, x1, y1) => `M${x0},${y0}L${x1},${y1}`;

  function grid(panel, rows, columns) {
    const right = panel.horizontal.layers.length - 0.5, top = panel.vertical.layers.length - 0.5;
    return columns.map((x) => line(x, -0.5, x, top)).join("") + rows.map((y) => line(-0.5, y, right, y)).join("");
  }

  function frames(panel) {
    if (panel.rows !== panel.columns) return [];
    return panel.horizontal.blocks.flatMap(([start, stop]) => [["black", 4.5], ["cyan", 2.5]].map(([color, width]) => ({
      type: "rect", x0: start - 0.5, y0: start - 0.5, x1: stop - 0.5, y1: stop - 0.5, line: { color, width },
    })));
  }

  function shades(panel) {
    if (panel.rows !== panel.columns) return [];
    return panel.horizontal.blocks.map(([start, stop]) => ({
      type: "rect", layer: "below", x0: start - 0.5, x1: stop - 0.5, yref: "y2 domain", y0: 0, y1: 1,
      fillcolor: "rgba(0,200,220,0.22)", line: { width: 0 },
    }));
  }

  // In a shape, since Plotly takes the positions of points on these axes for names of layers.
  function dots(panel) {
    const [width, height] = [panel.horizontal, panel.vertical].map((model) => Math.max(1, model.layers.length / 40) / 5);
    const path = (view.dots[panel.key] || []).map(([x, y]) =>
      `M${x - width},${y}L${x},${y + height}L${x + width},${y}L${x},${y - height}Z`).join("");
    return path ? [{ type: "path", path, fillcolor: "white", line: { color: "black", width: 0.5 } }] : [];
  }

  function shapes(panel) {
    const borders = (model) => model.borders.map((start) => start - 0.5);
    const path = grid(panel, borders(panel.vertical), borders(panel.horizontal));
    return [
      { type: "rect", layer: "below", x0: -0.5, y0: -0.5, x1: panel.horizontal.layers.length - 0.5,
        y1: panel.vertical.layers.length - 0.5, fillcolor: "#999", line: { width: 0 } },
      ...(path ? [{ type: "path", path, line: { color: "rgba(255,255,255,0.6)", width: 0.7 } }] : []),
      ...dots(panel), ...frames(panel), ...shades(panel),
    ];
  }

  function traces(panel, cells, errors) {
    const texts = new Map();
    const error = (value) => {
      if (!texts.has(value)) texts.set(value, value === null ? "" : ` ± ${value.toFixed(3)}`);
      return texts.get(value);
    };
    const heatmap = {
      type: "heatmap", x: panel.horizontal.layers, y: panel.vertical.layers, z: cells, zmin: 0, zmax: 1,
      colorscale: data.colours, showscale: false, hoverongaps: false,
      hovertemplate: `${panel.rows} (up): %{y}<br>${panel.columns} (across): %{x}<br>${view.name} %{z:.3f}` +
                     (errors ? "%{customdata}" : "") + "<extra></extra>",
      ...(errors ? { customdata: errors.map((row) => row.map(error)) } : {}),
    };
    if (panel.rows !== panel.columns) return [heatmap];
    return [heatmap, {
      type: "scatter", mode: "lines", x: panel.horizontal.layers, y: panel.horizontal.fractions, yaxis: "y2",
      line: { color: "#c875ae", width: 1.5 }, hovertemplate: "%{x}<br>PC1 %{y:.2f} of its variance<extra></extra>",
    }];
  }

  const all = (model) => [-0.5, model.layers.length - 0.5];

  function layout(panel) {
    const within = panel.rows === panel.columns, before = drawn.has(panel.div) ? panel.div.layout : {};
    const layers = (model, now) => axis({ type: "category", tickvals: model.ticks, ticktext: model.names, ticks: "",
                                          showgrid: false, zeroline: false, range: now ? [...now.range] : all(model) });
    return {
      ...look(), dragmode, hovermode: "closest", showlegend: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 52, r: 6, t: 6, b: 28 },
      xaxis: { ...layers(panel.horizontal, before.xaxis), anchor: within ? "y2" : "y" },
      yaxis: { ...layers(panel.vertical, before.yaxis), tickangle: -90, domain: within ? [0.23, 1] : [0, 1] },
      ...(within ? { yaxis2: axis({ domain: [0, 0.19], range: [0, 1.03], tickvals: [0, 0.5, 1], fixedrange: true,
                                    title: { text: "PC1", standoff: 4 } }) } : {}),
      shapes: shapes(panel),
    };
  }

  async function draw(panel) {
    const requested = view, cells = await matrix(view.cells[panel.key]), errors = await matrix(view.errors[panel.key]);
    if (requested !== view) return;
    panel.cells = cells;
    panel.errors = errors;
    const away = panel.div.hidden;
    panel.div.hidden = cells === null;
    byId("nothing-" + panel.key).hidden = cells !== null;
    if (cells === null) return;
    await Plotly.react(panel.div, traces(panel, cells, errors), layout(panel), { ...config, doubleClick: false });
    if (!drawn.has(panel.div)) follow(panel);
    if (away) await Plotly.Plots.resize(panel.div);
  }

  async function show(number) {
    view = data.maps.views[number];
    byId("meaning").textContent = view.meaning;
    byId("cell").textContent = "";
    mark({});
    for (const panel of panels) await draw(panel);
  }

  function follow(panel) {
    drawn.add(panel.div);
    panel.div.on("plotly_relayout", (change) => { if (Object.keys(change).some((key) => /^[xy]axis/.test(key))) zoomed(panel); });
    const pointed = ({ points: [cell] }) => { if (cell.curveNumber === 0) point(panel, ...cell.pointNumber); };
    panel.div.on("plotly_hover", pointed);
    // On touch screens, a tap is a click.
    panel.div.on("plotly_click", pointed);
    panel.div.on("plotly_doubleclick", whole);
    panel.div.on("plotly_unhover", () => mark({}));
    panel.div.addEventListener("keydown", (event) => step(panel, event));
  }

  // ---- links between the heatmaps

  let linking = false;
  async function zoomed(panel) {
    if (linking) return;
    linking = true;
    const across = panel.div.layout.xaxis.range, up = panel.div.layout.yaxis.range;
    for (const other of panels) {
      if (other === panel || !drawn.has(other.div)) continue;
      const same = other.rows === other.columns;
      const x = other.columns === panel.columns ? across : same && other.columns === panel.rows ? up : null;
      const y = other.rows === panel.rows ? up : same && other.rows === panel.columns ? across : null;
      const change = {};
      if (x) change["xaxis.range"] = [...x];
      if (y) change["yaxis.range"] = [...y];
      if (x || y) await Plotly.relayout(other.div, change);
    }
    linking = false;
  }

  async function whole() {
    linking = true;
    for (const panel of panels) {
      if (!drawn.has(panel.div)) continue;
      await Plotly.relayout(panel.div, { "xaxis.range": all(panel.horizontal), "yaxis.range": all(panel.vertical) });
    }
    linking = false;
  }

  function point(panel, row, column) {
    panel.at = [row, column];
    showCell(panel, row, column);
    mark({ [panel.rows]: [row], [panel.columns]: panel.rows === panel.columns ? [row, column] : [column] }, panel);
  }

  function plain(text) {
    return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
  }

  function showCell(panel, row, column) {
    const cell = panel.cells[row][column], error = panel.errors ? panel.errors[row][column] : null;
    const value = cell === null ? "has no value" : cell.toFixed(3) + (error === null ? "" : ` ± ${error.toFixed(3)} (standard error)`);
    byId("cell").textContent = `${panel.rows} (up): ${plain(panel.vertical.layers[row])}, ` +
      `${panel.columns} (across): ${plain(panel.horizontal.layers[column])}: ${view.name} ${value}`;
  }

  // An overlay, because Plotly takes 50 ms to draw a line among 150,000 cells.
  function cross(panel, path) {
    const area = panel.div.querySelector('.nsewdrag[data-subplot="xy"]').getBoundingClientRect();
    const figure = panel.div.parentElement.getBoundingClientRect(), svg = byId("cross-" + panel.key);
    const [left, right] = panel.div.layout.xaxis.range, [bottom, top] = panel.div.layout.yaxis.range;
    svg.setAttribute("viewBox", `${left} ${-top} ${right - left} ${top - bottom}`);
    svg.firstElementChild.setAttribute("d", path);
    const place = { left: area.left - figure.left, top: area.top - figure.top, width: area.width, height: area.height };
    for (const [side, pixels] of Object.entries(place)) svg.style[side] = `${pixels}px`;
  }

  let wanted = null;
  function mark(layers, from) {
    if (wanted === null) requestAnimationFrame(() => {
      const { layers, from } = wanted;
      wanted = null;
      for (const panel of panels) if (panel !== from && drawn.has(panel.div)) {
        cross(panel, grid(panel, layers[panel.rows] || [], layers[panel.columns] || []));
      }
    });
    wanted = { layers, from };
  }

  const STEPS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  function step(panel, event) {
    if (event.key === "Escape") whole();
    const by = STEPS[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1, from = panel.at || [0 - by[0], 0 - by[1]];
    const clamp = (value, layers) => Math.max(0, Math.min(layers.length - 1, value));
    const row = clamp(from[0] + far * by[0], panel.vertical.layers), column = clamp(from[1] + far * by[1], panel.horizontal.layers);
    Plotly.Fx.hover(panel.div, [{ curveNumber: 0, xval: column, yval: row }]);
    // Plotly fires no event for a hover that is set from code.
    point(panel, row, column);
  }

  // ---- other charts

  function chart(key, figure) {
    const div = byId("chart-" + key), layout = figure.layout;
    const base = { ...look(), dragmode, hovermode: "closest", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
                   legend: { orientation: "h", y: 1.02, yanchor: "bottom" } };
    const margin = { l: 56, r: 14, t: 30, b: 48, ...layout.margin };
    drawn.add(div);
    return Plotly.newPlot(div, figure.data, { ...base, ...layout, margin, xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis) }, config);
  }

  // ---- light, dark, paper

  const darkOutside = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (darkOutside.matches ? "dark" : "light")) === "dark";
  function themed() {
    byId("theme").textContent = isDark() ? "Light" : "Dark";
    byId("theme").setAttribute("aria-label", isDark() ? "Change to light colours" : "Change to dark colours");
    const { font, hoverlabel } = look();
    for (const div of drawn) Plotly.relayout(div, { font, hoverlabel });
  }

  // The browser does not wait for charts before it prints, and paper has another width.
  function paper(printing) {
    root.toggleAttribute("data-paper", printing);
    for (const details of document.querySelectorAll("details")) {
      if (printing) details.dataset.before = details.open;
      details.open = printing || details.dataset.before === "true";
    }
    const { font, hoverlabel } = look();
    for (const div of drawn) {
      if (div.hidden) continue;
      const size = printing ? { width: div.clientWidth, height: div.clientHeight } : { autosize: true };
      Plotly.relayout(div, { ...size, font, hoverlabel });
    }
  }

  async function start() {
    byId("theme").hidden = false;
    byId("theme").addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; themed(); });
    darkOutside.addEventListener("change", themed);
    addEventListener("beforeprint", () => paper(true));
    addEventListener("afterprint", () => paper(false));
    themed();
    for (const table of document.querySelectorAll("table.sortable")) sortable(table);
    for (const gallery of document.querySelectorAll(".gallery:has([data-tags])")) filterable(gallery);
    if (navigator.clipboard) for (const block of document.querySelectorAll(".command")) copyable(block);
    if (data.maps) {
      byId("reset").addEventListener("click", whole);
      if (data.maps.choice) await followChoice();
      else {
        byId("view").addEventListener("change", (event) => show(event.target.value));
        await show(byId("view").value);
      }
    }
    if (data.pairs) await startPairs();
    for (const [key, figure] of Object.entries(data.charts)) await chart(key, figure);
    byId("without").hidden = true;
    root.dataset.ready = "yes";
  }
