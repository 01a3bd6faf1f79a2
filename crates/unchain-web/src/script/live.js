// Says when the case has grown. Without it a page is read again by hand.
export {};
