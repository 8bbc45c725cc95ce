"""X-rays as a network sees them: reading, preprocessing, frames on disk, and views drawn for training."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "settings": "AugmentationName FieldUse MultiCropSettings PreprocessSettings SquareFit",
        "square_input": "network_square",
        "preprocessing": "preprocess preprocess_linear standardise",
        "crop_batches": "CropBatch CropBatches",
        "draw": "MultiCropDraws ViewDraws draw_crops",
        "multi_crop": "crop_images multi_crops",
        "views": "VIEW_TABLE ViewKind",
        "frame_images": "FrameBatch frames_to_images pad_frames",
        "frame_pool": "DamagedXray map_frames",
        "frame_job": "prepare_frames",
        "frames": "FrameStore PreparedFrame",
        "xrays": "FrameChoice XrayCollection find_xrays",
        "xray_frame": "XrayFrame",
        "square": "SquareMap square_map to_square",
    },
)
