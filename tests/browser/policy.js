// Shows that the policy of the page is in force: code from text is refused.
try {
  // eslint-disable-next-line no-new-func -- it is to be refused
  globalThis.codeFromText = Function("return 'allowed'")();
} catch (error) {
  globalThis.codeFromText = error.name;
}
