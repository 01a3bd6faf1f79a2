// Zoom, pan and selection in the drawing of the lineage. Without it the drawing is read by its links.
export {};
