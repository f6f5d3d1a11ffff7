"""Sizes of the image data sets, which plans need without loading them."""

IMAGE_COUNTS = {
    "mnist": 70_000,
    "mnist_subset": 5_000,
    "fashion_mnist": 70_000,
    "cifar10": 60_000,
    "digits": 1_797,
}
# Images of the published training set, where there is one.
PUBLISHED_TRAINING = {"mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
IMAGE_SIZES = {
    "mnist": 784,
    "mnist_subset": 784,
    "fashion_mnist": 784,
    "cifar10": 3072,
    "digits": 64,
}  # pixels
CLASSES = 10

# Names as shown.
NAMES = {
    "mnist": "MNIST",
    "mnist_subset": "MNIST subset",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "digits": "digits, 8 × 8",
}

# Bytes of a whole data set while it is loaded: pixels as they are published and as float32.
LOADED_BYTES = {
    "mnist": 2.8e8,
    "mnist_subset": 1e8,
    "fashion_mnist": 2.8e8,
    "cifar10": 9.3e8,
    "digits": 1e6,
}


def loading_seconds(dataset: str) -> float:
    """Seconds to load a data set that is here."""
    return LOADED_BYTES[dataset] / 1e8
