/* Runs in the report, not in Node: draws the plots whose data stands in the page, in the colours of the page. */
/* global document, getComputedStyle, matchMedia, ResizeObserver, uPlot */
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const HEIGHT = { forecast: 360, losses: 260, shares: 260, sensitivities: 260 };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
  const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
  const isoDate = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

  function readable(number, unit) {
    if (number == null) return "";
    return `${Number(number.toPrecision(4))}${unit === "" ? "" : ` ${unit}`}`;
  }

  function axis(label, more) {
    const ink = colour("muted");
    return {
      label,
      labelFont: font,
      font,
      stroke: ink,
      grid: { stroke: colour("grid"), width: 1 },
      ticks: { stroke: colour("grid"), width: 1 },
      ...more,
    };
  }

  function lineOf(plot, { label, role, shown }) {
    const stroke = colour(role);
    const common = { label, stroke, show: shown, value: (_, number) => readable(number, plot.unit) };
    if (plot.kind === "bars")
      return { ...common, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.7, 48] }) };
    const few = plot.x.length <= 80;
    return { ...common, width: role === "truth" ? 1.25 : 1.75, points: { show: few, size: 5, fill: stroke } };
  }

  /* A dashed upright line with a word beside it. */
  function mark(chart, { x, label }) {
    const { ctx, bbox } = chart;
    const left = chart.valToPos(x, "x", true);
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.strokeStyle = colour("muted");
    ctx.fillStyle = colour("muted");
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    ctx.font = font.replace("12px", `${12 * ratio}px`);
    const roomToTheRight = left + 60 * ratio < bbox.left + bbox.width;
    ctx.textAlign = roomToTheRight ? "left" : "right";
    ctx.textBaseline = "top";
    ctx.fillText(label, left + (roomToTheRight ? 5 : -5) * ratio, bbox.top + 4 * ratio);
    ctx.restore();
  }

  /* Whole numbers only, and half a step of room on either side of bars or of a single point. */
  function countingScale(plot) {
    const pad = plot.kind === "bars" || plot.x.length === 1 ? 0.5 : 0;
    return { time: false, range: (_, low, high) => [low - pad, high + pad] };
  }

  function optionsOf(plot, width) {
    const bars = plot.kind === "bars";
    const whole = { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6] };
    const xValue = plot.dates
      ? (_, seconds) => (seconds == null ? "" : isoDate(seconds))
      : (_, number) => (number == null ? "" : String(number));
    return {
      width,
      height: HEIGHT[plot.id],
      tzDate: utc,
      // "27 May" is read alike everywhere; "5/27" is not.
      fmtDate: (template) => uPlot.fmtDate(template.replace("{M}/{D}", "{D} {MMM}")),
      scales: { x: plot.dates ? { time: true } : countingScale(plot), y: bars ? { range: (_, _low, high) => [0, high * 1.05 || 1] } : {} },
      axes: [axis(plot.xLabel, plot.dates ? {} : { ...whole, space: bars ? 20 : 50 }), axis(plot.yLabel, { size: 62 })],
      series: [{ label: plot.dates ? "date" : plot.xLabel.split(" (")[0], value: xValue }, ...plot.lines.map((line) => lineOf(plot, line))],
      cursor: { drag: { x: !bars, y: false }, points: { show: !bars } },
      hooks: plot.marked ? { draw: [(chart) => mark(chart, plot.marked)] } : {},
    };
  }

  function show(plot) {
    const place = document.getElementById(plot.id);
    const data = [plot.x, ...plot.lines.map(({ values }) => values)];
    let chart;
    const draw = () => {
      const shown = chart?.series.map((series) => series.show);
      chart?.destroy();
      const options = optionsOf(plot, place.clientWidth);
      options.series.forEach((series, i) => {
        if (shown && i > 0) series.show = shown[i];
      });
      chart = new uPlot(options, data, place);
    };
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    new ResizeObserver(() => {
      if (chart.width !== place.clientWidth) chart.setSize({ width: place.clientWidth, height: HEIGHT[plot.id] });
    }).observe(place);
  }

  for (const plot of plots) show(plot);
})();
