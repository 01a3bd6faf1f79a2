// The cursor of the time line. Without it an instant is chosen by its form.
export {};
