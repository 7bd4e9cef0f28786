"""SpeechBrain's conformer with a CTC head in plain torch.nn, driven by run.ts over lines of JSON.

Reads one request a line from standard input and writes one reply a line:

  {"open": "FILE"}                        a safetensors file with weights and batches; replies with what torch is
  {"pass": "NAME", "gradients": "FILE"}   one forward and backward pass of a batch; loss, and gradients to a file
  {"time": "NAME", "passes": N}           seconds of N passes: of each phase, and of the processor

Modules are those of facts/speechbrain.md, names of parameters those of SpeechBrain's state dicts. Recordings are padded to
the longest, padded frames are masked, as SpeechBrain has it. Threads come from the environment, because OpenBLAS takes
them from nowhere else.
"""
import json
import math
import os
import struct
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    types = {"F32": torch.float32, "I32": torch.int32}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = bytearray(data[8 + length + begin : 8 + length + end])
        tensors[name] = torch.frombuffer(raw, dtype=types[entry["dtype"]]).reshape(entry["shape"]).clone()
    return metadata, tensors


def write_safetensors(path, tensors):
    header, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(raw)]}
        parts.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


class FrontEnd(nn.Module):
    """Convolutions with reflect padding, layer norm over frequency and channel, leaky ReLU."""

    def __init__(self, config):
        super().__init__()
        channels, mels = 1, config["mels"]
        self.convolutions, self.norms, self.pads = nn.ModuleList(), nn.ModuleList(), []
        for out, kernel, stride in zip(config["channels"], config["kernelSizes"], config["strides"]):
            self.convolutions.append(nn.Conv2d(channels, out, kernel, stride))
            pad = kernel // 2
            mels = (mels + 2 * pad - kernel) // stride + 1
            self.norms.append(nn.LayerNorm([mels, out]))
            self.pads.append(pad)
            channels = out

    def forward(self, x):
        x = x.unsqueeze(-1)
        for convolution, norm, pad in zip(self.convolutions, self.norms, self.pads):
            # [B, T, F, C] to [B, C, F, T] and back, as the class does
            x = x.transpose(1, -1)
            x = convolution(F.pad(x, (pad, pad, pad, pad), mode="reflect")).transpose(1, -1)
            x = F.leaky_relu(norm(x), 0.01)
        return x.flatten(2)


class Attention(nn.Module):
    """RelPosMHAXL: q, k and v side by side in each head."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size, self.scale = heads, width // heads, 1 / math.sqrt(width)
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.out_proj = nn.Linear(width, width)
        self.pos_bias_u = nn.Parameter(torch.empty(self.size, heads))
        self.pos_bias_v = nn.Parameter(torch.empty(self.size, heads))

    @staticmethod
    def shift(x):
        batch, heads, queries, positions = x.shape
        x = F.pad(x, (1, 0)).view(batch, heads, -1, queries)
        return x[:, :, 1:].view(batch, heads, queries, positions)[..., : positions // 2 + 1]

    def forward(self, x, positions, mask):
        batch, frames, width = x.shape
        packed = F.linear(x, self.in_proj_weight).view(batch, frames, self.heads, 3 * self.size)
        query, key, value = packed.chunk(3, dim=-1)
        p = self.linear_pos(positions).view(1, -1, self.heads, self.size)
        u = self.pos_bias_u.view(1, 1, self.heads, self.size)
        v = self.pos_bias_v.view(1, 1, self.heads, self.size)
        content = torch.matmul((query + u).transpose(1, 2), key.permute(0, 2, 3, 1))
        position = self.shift(torch.matmul((query + v).transpose(1, 2), p.permute(0, 2, 3, 1)))
        scores = (content + position) * self.scale
        if mask is not None:
            scores = scores.masked_fill(mask[:, None, None, :], -torch.inf)
        weights = F.softmax(scores, dim=-1, dtype=torch.float32)
        if mask is not None:
            weights = weights.masked_fill(mask[:, None, None, :], 0.0)
        mixed = torch.matmul(weights, value.transpose(1, 2)).transpose(1, 2).reshape(batch, frames, width)
        return self.out_proj(mixed)


class ConvolutionModule(nn.Module):
    def __init__(self, width, taps):
        super().__init__()
        self.layer_norm = nn.LayerNorm(width)
        self.bottleneck = nn.Sequential(nn.Conv1d(width, 2 * width, 1), nn.GLU(dim=1))
        self.conv = nn.Conv1d(width, width, taps, padding=taps // 2, groups=width)
        self.after_conv = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, x, mask):
        y = self.conv(self.bottleneck(self.layer_norm(x).transpose(1, 2))).transpose(1, 2)
        y = self.after_conv(y)
        return y if mask is None else y.masked_fill(mask.unsqueeze(-1), 0.0)


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.outer(F.silu(self.inner(self.norm(x))))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.ffn_module1, self.ffn_module2 = [FeedForward(width, config["feedForward"]) for _ in range(2)]
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mha_layer = Attention(width, config["heads"])
        self.convolution_module = ConvolutionModule(width, config["depthwiseTaps"])

    def forward(self, x, positions, attention_mask, mask):
        x = x + 0.5 * self.ffn_module1(x)
        x = x + self.mha_layer(self.norm1(x), positions, attention_mask)
        # The convolution must see zeros behind a recording, as it would without padding.
        x = x + self.convolution_module(x, mask)
        return self.norm2(x + 0.5 * self.ffn_module2(x))


class Conformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        front_end, encoder = config["frontEnd"], config["encoder"]
        self.width = encoder["width"]
        self.front_end = FrontEnd(front_end)
        features = self.front_end.norms[-1].weight.numel()
        self.input = nn.Linear(features, self.width)
        self.layers = nn.ModuleList(Layer(encoder) for _ in range(encoder["layers"]))
        self.norm = nn.LayerNorm(self.width, eps=1e-6)
        self.head = nn.Linear(self.width, config["classes"])
        self.tables = {}

    def positions(self, frames):
        if frames not in self.tables:
            distance = (torch.arange(2 * frames - 1) - (frames - 1)).abs().double()
            frequency = 10000 ** (-torch.arange(0, self.width, 2).double() / self.width)
            angles = distance[:, None] * frequency
            table = torch.stack([angles.sin(), angles.cos()], dim=-1)
            self.tables[frames] = table.flatten(1)[None, :, : self.width].float()
        return self.tables[frames]

    def forward(self, features, steps):
        x = self.input(self.front_end(features))
        frames = x.shape[1]
        mask = None
        if any(length < frames for length in steps):
            mask = torch.arange(frames)[None, :] >= torch.tensor(steps)[:, None]
        positions = self.positions(frames)
        for layer in self.layers:
            x = layer(x, positions, mask, mask)
        return self.head(self.norm(x))


def name_of(ours, head):
    """The name in SpeechBrain's state dict of a parameter of these modules."""
    name = ours
    for index in ("0", "1"):
        name = name.replace(f"front_end.convolutions.{index}", f"0.convblock_{index}.convs.conv_0.conv")
        name = name.replace(f"front_end.norms.{index}", f"0.convblock_{index}.convs.norm_0.norm")
    if name.startswith("input."):
        return name.replace("input.", "1.custom_src_module.layers.0.w.")
    if name.startswith("head."):
        return name.replace("head.", f"{head}.w.")
    if name.startswith("norm."):
        return name.replace("norm.", "1.encoder.norm.norm.")
    if name.startswith("layers."):
        for module in ("ffn_module1", "ffn_module2"):
            name = name.replace(f"{module}.norm.", f"{module}.0.")
            name = name.replace(f"{module}.inner.", f"{module}.1.ffn.0.")
            name = name.replace(f"{module}.outer.", f"{module}.1.ffn.3.")
        for norm in ("norm1", "norm2"):
            name = name.replace(f"{norm}.", f"{norm}.norm.")
        return f"1.encoder.{name}"
    return name


class Batch:
    """Features [B, T, mels] padded with zeros, and targets."""

    def __init__(self, tensors, name, config):
        lengths = tensors[f"{name}.lengths"].tolist()
        rows = tensors[f"{name}.features"].split(lengths)
        self.features = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        self.steps = [self.after_front_end(length, config["frontEnd"]) for length in lengths]
        self.targets = tensors[f"{name}.targets"].long()
        self.target_lengths = tensors[f"{name}.targetLengths"].tolist()

    @staticmethod
    def after_front_end(length, config):
        for kernel, stride in zip(config["kernelSizes"], config["strides"]):
            length = (length + 2 * (kernel // 2) - kernel) // stride + 1
        return length


def loaded_blas():
    """The file that torch's matrix products are in."""
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line}
    return ", ".join(sorted(files)) or "built in"


class Session:
    def open(self, path):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        metadata, tensors = read_safetensors(path)
        config = json.loads(metadata["network"])
        self.model = Conformer(config)
        self.names = {ours: name_of(ours, config["head"]) for ours, _ in self.model.named_parameters()}
        self.model.load_state_dict({ours: tensors[name] for ours, name in self.names.items()})
        self.batches = {name: Batch(tensors, name, config) for name in metadata["batches"].split()}
        capability = [line for line in torch.__config__.show().splitlines() if "CPU capability" in line]
        return {
            "torch": torch.__version__,
            "capability": capability[0].split()[-1] if capability else "",
            "threads": torch.get_num_threads(),
            "blas": loaded_blas(),
        }

    def run(self, name, phases):
        batch = self.batches[name]
        self.model.zero_grad(set_to_none=True)
        times = [time.perf_counter()]
        logits = self.model(batch.features, batch.steps)
        times.append(time.perf_counter())
        log_probs = F.log_softmax(logits, dim=-1).transpose(0, 1)
        loss = F.ctc_loss(
            log_probs, batch.targets, batch.steps, batch.target_lengths, reduction="sum", zero_infinity=True
        )
        times.append(time.perf_counter())
        loss.backward()
        times.append(time.perf_counter())
        for phase, begin, end in zip(("forward", "loss", "backward"), times, times[1:]):
            phases[phase] = phases.get(phase, 0.0) + end - begin
        return loss.item()

    def answer(self, request):
        if "open" in request:
            return self.open(request["open"])
        phases = {}
        if "pass" in request:
            loss = self.run(request["pass"], phases)
            gradients = {self.names[name]: p.grad for name, p in self.model.named_parameters()}
            write_safetensors(request["gradients"], gradients)
            return {"loss": loss}
        begin, processor = time.perf_counter(), time.process_time()
        for _ in range(request["passes"]):
            self.run(request["time"], phases)
        return {
            "seconds": time.perf_counter() - begin,
            "processorSeconds": time.process_time() - processor,
            "phases": phases,
        }


def main():
    session = Session()
    for line in sys.stdin:
        print(json.dumps(session.answer(json.loads(line))), flush=True)


main()
