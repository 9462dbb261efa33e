"""Networks that restore pictures: one architecture a file, and what is known of their weights.

This list is the registry: the builder of the architecture NAME is the function NAME of the module.
"""

ARCHITECTURES: dict[str, str] = {
    "srcnn": "photochrom.nets.srcnn",
    "vdsr": "photochrom.nets.vdsr",
    "espcn": "photochrom.nets.espcn",
    "dncnn": "photochrom.nets.dncnn",
    "srresnet": "photochrom.nets.srresnet",
    "edsr": "photochrom.nets.edsr",
    "mdsr": "photochrom.nets.mdsr",
    "rdn": "photochrom.nets.rdn",
    "rcan": "photochrom.nets.rcan",
}
