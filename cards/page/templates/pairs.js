
  // ---- the map of all pairs

  let measure = null, pairAt = null;

  async function startPairs() {
    const div = byId("pairs");
    byId("measure").addEventListener("change", (event) => drawPairs(event.target.value));
    await drawPairs(byId("measure").value);
    drawn.add(div);
    div.on("plotly_hover", ({ points: [cell] }) => showPair(...cell.pointNumber));
    div.on("plotly_click", ({ points: [cell] }) => openPair(...cell.pointNumber));
    div.addEventListener("keydown", stepPair);
  }

  async function drawPairs(number) {
    const packed = data.pairs.measures[number], cells = await unpack(packed.cells);
    const square = async (numbers) => numbers ? await unpack(numbers) : null;
    measure = { ...packed, cells, errors: await square(packed.errors), ceilings: await square(packed.ceilings) };
    byId("measure-meaning").textContent = measure.meaning;
    byId("pair").textContent = "";
    const count = cells.length, names = data.pairs.names, width = byId("pairs").parentElement.clientWidth;
    const named = width > 560 && count <= 30, left = named ? 190 : 30, bar = 80;
    const side = Math.min(width - left - bar, 520, Math.max(200, 74 * count));
    Object.assign(byId("pairs").style, { width: `${left + side + bar}px`, height: `${side + 32}px` });
    // A tick label needs 17 pixels.
    const numbers = names.map((_, i) => i), ticked = numbers.filter((i) => i % Math.ceil((17 * count) / side) === 0);
    const ticks = (texts) => axis({ tickvals: ticked, ticktext: ticked.map(texts), ticks: "", showgrid: false, zeroline: false,
                                    fixedrange: true, range: [-0.5, count - 0.5] });
    const trace = {
      type: "heatmap", x: numbers, y: numbers, z: cells, zmin: 0, zmax: 1, xgap: 1, ygap: 1,
      colorscale: data.colours, hoverongaps: false, hoverinfo: "text",
      hovertext: cells.map((row, up) => row.map((_, across) => pairText(up, across, "<br>"))),
      ...(side > 42 * count ? { texttemplate: `%{z:${measure.format}}` } : {}),
      colorbar: { thickness: 12, outlinewidth: 0, tickformat: measure.format.replace(/\d/, (digits) => digits - 1), x: 1.01 },
    };
    await Plotly.react(byId("pairs"), [trace], {
      ...look(), dragmode: false, hovermode: "closest", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(128,128,128,0.4)",
      margin: { l: left, r: bar, t: 24, b: 8 }, xaxis: { ...ticks((i) => `${i + 1}`), side: "top" },
      yaxis: { ...ticks((i) => named ? `${data.pairs.ticks[i]} ${i + 1}` : `${i + 1}`), range: [count - 0.5, -0.5] },
    }, config);
  }

  function pairText(up, across, newLine) {
    const name = (i) => `${i + 1} (${data.pairs.names[i]})`, cell = measure.cells[up][across];
    if (up === across) return name(up);
    const error = measure.errors ? measure.errors[up][across] : null, text = (value) => formatted(value, measure.format);
    const value = cell === null ? "has no value" : text(cell) + (error === null ? "" : ` ± ${text(error)}`);
    const ceiling = measure.ceilings ? measure.ceilings[up][across] : null;
    const seeds = ceiling === null ? "" : `${newLine}two seeds of one architecture: ${text(ceiling)}`;
    return `${name(up)}${newLine}${name(across)}${newLine}${measure.name}: ${value}${seeds}`;
  }

  const formatted = (value, format) => format.endsWith("%") ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);

  function showPair(up, across) {
    pairAt = [up, across];
    byId("pair").textContent = plain(pairText(up, across, ", "));
  }

  function openPair(up, across) {
    if (up === across) return;
    showPair(up, across);
    const [a, b] = [Math.min(up, across), Math.max(up, across)];
    if (data.pairs.addresses) location.href = data.pairs.addresses[a][b - a - 1];
    else if (data.maps) {
      byId("model-a").value = up;
      byId("model-b").value = across;
      choose();
      byId("model-a").scrollIntoView({ block: "nearest" });
    }
  }

  function stepPair(event) {
    if (event.key === "Enter" && pairAt) openPair(...pairAt);
    const [down, right] = STEPS[event.key] || [0, 0], last = data.pairs.names.length - 1;
    if (!(down || right) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const clamp = (value) => Math.max(0, Math.min(last, value));
    showPair(...(pairAt ? [clamp(pairAt[0] - down), clamp(pairAt[1] + right)] : [0, 1]));
    Plotly.Fx.hover(byId("pairs"), [{ curveNumber: 0, xval: pairAt[1], yval: pairAt[0] }]);
  }

  // ---- two models layer by layer

  async function followChoice() {
    for (const [place, id] of ["model-a", "model-b"].entries()) byId(id).addEventListener("change", (event) => {
      const other = byId(["model-b", "model-a"][place]);
      // If both choices are the same model, the other choice becomes the model that was replaced.
      if (other.value === event.target.value) other.value = chosen[place];
      choose();
    });
    byId("model-b").value = 1;
    byId("view").addEventListener("change", () => show(viewOfPair()));
    await choose();
  }

  let chosen = [0, 1];
  function viewOfPair() {
    const { pairs } = data.maps.choice;
    return byId("view").value * pairs.length + pairs.findIndex(([a, b]) => a === chosen[0] && b === chosen[1]);
  }

  async function choose() {
    chosen = ["model-a", "model-b"].map((id) => Number(byId(id).value)).sort((one, other) => one - other);
    const { choice, models } = data.maps, sides = { a: models[chosen[0]], b: models[chosen[1]] };
    for (const [place, key] of ["a", "b"].entries()) {
      byId("model-" + key).value = chosen[place];
      byId("title-" + key + key).textContent = `${key}: ${choice.options[chosen[place]]}`;
    }
    for (const panel of panels) Object.assign(panel, { vertical: sides[panel.rows], horizontal: sides[panel.columns], at: null });
    await show(viewOfPair());
    await whole();
  }
