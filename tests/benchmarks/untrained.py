"""How often an untrained network seems to have learned, beside one and beside three untrained copies of it.

A trained ResNet-14 is compared with untrained ones, each beside others. The lower end of the interval should be above 0
in 2.5 % of them. Run `python -m tests.benchmarks.untrained`; it takes about two minutes.
"""

import torch

from compare.engine.pair import compare_models
from zoo.data.batches import ShuffledBatches
from zoo.data.digits import load_digits
from zoo.family.cifar import Variant
from zoo.train.build import build
from zoo.train.evaluate import settle_batch_norm_on
from zoo.train.train import train_model

NETWORKS, BATCH_SIZE = 40, 60
VARIANT = Variant(14, 1, 1)


def untrained(seed, data):
    """A network with initial weights that no training starts from, and settled batch norm."""
    model = build(VARIANT, torch.Generator().manual_seed(10_000 + seed))
    settle_batch_norm_on(model, [part.float() / 255 for part in data.images.split(BATCH_SIZE)])
    return model.eval()


def side(trained, networks, number, count, batches):
    """The layers of the trained network in one untrained network, beside the next ones."""
    copies = [networks[(number + step) % len(networks)] for step in range(1, count + 1)]
    return compare_models(trained, networks[number], batches, baseline=((), copies)).baseline.a


def main():
    data = load_digits("test")
    trained, _ = train_model(VARIANT, load_digits("train"), data)
    networks = [untrained(seed, data) for seed in range(NETWORKS)]
    batches = list(ShuffledBatches(data, BATCH_SIZE, seed=0, scaled=True))
    print("copies  above 0  below 0  mean half width  sd of best match")
    for count in (1, 3):
        sides = [side(trained, networks, number, count, batches) for number in range(NETWORKS)]
        above, below = (
            sum(sides_beyond) / NETWORKS for sides_beyond in ([s.low > 0 for s in sides], [s.high < 0 for s in sides])
        )
        width = sum(s.high - s.low for s in sides) / 2 / NETWORKS
        spread = torch.tensor([s.best_match for s in sides]).std()
        print(f"{count:6d}  {above:7.1%}  {below:7.1%}  {width:15.3f}  {spread:16.3f}")


if __name__ == "__main__":
    main()
