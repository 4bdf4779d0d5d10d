"""Measures a model on the held-out digits. Needs nothing but Python.

    python src/evaluate.py model.json data/digits.csv.gz

Prints the accuracy: the part of every fifth image of the data set that the
model names rightly.
"""
import csv
import gzip
import json
import sys


def forward(layers, values):
    for index, layer in enumerate(layers):
        sums = list(layer["bias"])
        for value, row in zip(values, layer["weights"]):
            if value:
                for unit, weight in enumerate(row):
                    sums[unit] += value * weight
        last = index == len(layers) - 1
        values = sums if last else [max(0.0, total) for total in sums]
    return values


def accuracy(model, rows):
    right = 0
    for row in rows:
        *pixels, label = (float(cell) for cell in row)
        scores = forward(model["layers"], [pixel * model["input_scale"] for pixel in pixels])
        right += scores.index(max(scores)) == int(label)
    return right / len(rows)


def held_out(path):
    with gzip.open(path, "rt") as file:
        rows = [row for row in csv.reader(file) if row]
    return rows[::5]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        model = json.load(file)
    print(f"{accuracy(model, held_out(sys.argv[2])):.4f}")


if __name__ == "__main__":
    main()
