"""Thirty updates of torch.nn.LSTM and a linear readout with torch.optim.Adam in float64 on real data: the loss before each, and the final
weights as fingerprints. The data: the first 130 daily maxima of seattle-weather.csv of the npm package vega-datasets (NOAA, public domain),
(x - 15) / 10; windows of 28 days, one a batch row, forecast the day after. Weights are the draws of draws.py.

    python training.py        (needs numpy, torch 2.13, and the workspace installed)
"""

import csv
import json
import pathlib

import torch

from draws import draw
from fingerprint import fingerprint

HERE = pathlib.Path(__file__).parent
DAYS, WINDOW, BATCH, HIDDEN, UPDATES = 130, 28, 8, 8, 30
rate = 0.02

with open(HERE / "../../node_modules/vega-datasets/data/seattle-weather.csv") as f:
    maxima = [float(row["temp_max"]) for row in csv.DictReader(f)][:DAYS]
series = torch.tensor([(x - 15) / 10 for x in maxima], dtype=torch.float64)

lstm = torch.nn.LSTM(1, HIDDEN).double()
readout = torch.nn.Linear(HIDDEN, 1).double()
with torch.no_grad():
    for name, x in [*lstm.named_parameters(), *readout.named_parameters()]:
        x.copy_(torch.tensor(draw(name, *x.shape)))
optimizer = torch.optim.Adam([*lstm.parameters(), *readout.parameters()], lr=rate)

losses = []
for update in range(UPDATES):
    starts = [(update * BATCH + b * 11) % (DAYS - WINDOW) for b in range(BATCH)]
    windows = torch.stack([series[s : s + WINDOW] for s in starts], dim=1).unsqueeze(2)
    targets = torch.stack([series[s + WINDOW] for s in starts]).unsqueeze(1)
    _, (h, _) = lstm(windows)
    loss = torch.nn.functional.mse_loss(readout(h[0]), targets)
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

assert sum(losses[-10:]) < 0.75 * sum(losses[:10]), losses
weights = {name: fingerprint(x.detach()) for name, x in [*lstm.named_parameters(), *readout.named_parameters()]}
found = {
    "notes": "Made by training.py", "torch": torch.__version__, "window": WINDOW, "batch": BATCH, "hidden": HIDDEN, "rate": rate,
    "maxima": maxima, "losses": losses, "weights": weights,
}
(HERE / "training.json").write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in found.items()) + "\n}\n")
print(losses[0], losses[-1])
