"""The models: define, train, store and fetch width and depth variants of ResNets.

Importing it is cheap (no torch), and makes timm know the `cifar_resnet` architecture as soon as timm is imported.
"""

from zoo.family.timm_hook import install

install()
