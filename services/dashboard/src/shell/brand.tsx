export const Brand = () => (
  <span className="brand">
    <img src="/bugle.svg" alt="" width="26" height="26" />
    Bugle
  </span>
);
