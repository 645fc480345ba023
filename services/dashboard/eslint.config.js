import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "node_modules", "src/api/schema.ts"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [ts.configs.strictTypeChecked, a11y.flatConfigs.recommended],
    plugins: { "react-hooks": hooks },
    languageOptions: { parserOptions: { project: "./tsconfig.app.json" }, globals: globals.browser },
    rules: {
      ...hooks.configs.recommended.rules,
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      // Server and SDK data is what it is, whatever the types say; looking twice is not a mistake.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // A list without its bullets is no list to VoiceOver unless it says so.
      "jsx-a11y/no-redundant-roles": "off",
      // Nor is a table one whose parts are laid out as blocks. The rule takes every cell for one of a grid; the rest is as recommended.
      "jsx-a11y/no-interactive-element-to-noninteractive-role": ["error", { tr: ["none", "presentation"], canvas: ["img"], td: ["cell"] }],
      // The first field of a dialog takes the focus, which is what a reader expects there.
      "jsx-a11y/no-autofocus": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "What events say is never HTML." },
        { selector: "JSXOpeningElement[name.name!='SafeLink'] > JSXAttribute[name.name='href'] > JSXExpressionContainer > MemberExpression", message: "Use SafeLink for addresses that came from outside." },
      ],
      "max-lines": ["error", 400],
    },
  },
  { files: ["public/*.js"], languageOptions: { globals: globals.serviceworker } },
  { files: ["e2e/**/*.mjs", "*.{js,mjs}"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
);
