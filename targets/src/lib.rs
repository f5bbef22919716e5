//! Where mapprobe runs.
