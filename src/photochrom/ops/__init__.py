"""Operations, one file each. This list is the registry: the function NAME lives in `ops/CHAPTER/NAME.py`."""

from photochrom.core.registry import registry

CHAPTERS: dict[str, tuple[str, ...]] = {
    "tone": ("exposure", "power", "brightness", "contrast", "negative", "levels", "identity", "log", "inverse_log",
             "curve", "sigmoid_contrast", "saturation", "white_balance", "threshold", "threshold_otsu", "posterize",
             "clip"),
    "filter": ("correlate", "convolve", "gaussian", "box", "unsharp_mask", "high_boost", "median", "bilateral",
               "guided", "gradient", "laplacian", "canny", "sketch"),
    "frequency": ("lowpass", "highpass", "bandpass", "notch", "deconvolve"),
    "histogram": ("histogram", "equalize", "clahe", "match_histogram"),
    "hdr": ("response_curve", "merge_hdr", "align_exposures", "fuse_exposures", "dynamic_range", "tonemap",
            "tonemap_reinhard", "tonemap_reinhard_local", "tonemap_drago", "tonemap_durand", "tonemap_fattal",
            "tonemap_filmic"),
    "gray": ("luminance", "color2gray", "color2gray_local"),
    "transfer": ("transfer_statistics", "transfer_covariance", "transfer_distribution", "apply_lut",),
    "degrade": ("add_noise", "compress_jpeg"),
    "geometry": ("resize", "downsample", "upsample", "crop", "flip", "pad", "affine", "rotate", "perspective", "warp"),
    "gradient": ("seamless_clone", "flatten_texture", "fill", "make_tileable", "change_illumination", "change_color",
                 "exchange_texture", "remove_wrinkles", "smooth_wls"),
    "colorize": ("colorize_scribbles",),
    "restore": ("upscale", "denoise", "deblock"),
}

registry.declare("photochrom.ops", CHAPTERS)
