"""A training step of torch.nn.RNN, LSTM or GRU on one thread, for torch.ts: JSON lines, one answer to each request.

{"do": "load", kind, hidden, batch, steps, params, inputs, targets}  ->  {version}
{"do": "run", count}                                                 ->  {ms: of each step, end: of the last, loading}
{"do": "results"}                                                    ->  {loss, gradients}

Arrays are base64 of little-endian float32; `end` is the wall clock in ms, and `loading` what reading the data took.
"""

import array
import base64
import json
import sys
import time

import torch

torch.set_num_threads(1)

NAMES = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]


def decoded(text, shape):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.float32).reshape(shape)


def encoded(tensor):
    return base64.b64encode(array.array("f", tensor.flatten().tolist()).tobytes()).decode()


class Training:
    def __init__(self, kind, hidden, batch, steps, params, inputs, targets, **_):
        classes = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
        self.layer = classes[kind](hidden, hidden)
        self.weights = [getattr(self.layer, f"{name}_l0") for name in NAMES]
        with torch.no_grad():
            for name, weight in zip(NAMES, self.weights):
                weight.copy_(decoded(params[name], weight.shape))
        self.inputs = decoded(inputs, [steps, batch, hidden])
        self.targets = decoded(targets, [steps, batch, hidden])
        self.loss = None

    def step(self):
        for weight in self.weights:
            weight.grad = None
        outputs, _ = self.layer(self.inputs)
        self.loss = torch.nn.functional.mse_loss(outputs, self.targets)
        self.loss.backward()

    def run(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.step()
            times.append(1000 * (time.perf_counter() - start))
        return times

    def results(self):
        gradients = {name: encoded(weight.grad) for name, weight in zip(NAMES, self.weights)}
        return {"loss": self.loss.item(), "gradients": gradients}


def main():
    training = None
    loading = 0
    while True:
        start = time.time()
        # readline, and not a loop over the file, which would read ahead.
        line = sys.stdin.readline()
        if not line:
            return
        request = json.loads(line)
        if request["do"] == "load":
            training = Training(**request)
            loading = 1000 * (time.time() - start)
            answer = {"version": torch.__version__}
        elif request["do"] == "run":
            ms = training.run(request["count"])
            answer = {"ms": ms, "end": 1000 * time.time(), "loading": loading}
        else:
            answer = training.results()
        print(json.dumps(answer), flush=True)


main()
