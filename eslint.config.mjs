import javascript from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import typescript from 'typescript-eslint';

/** Room → the rooms that it may import from besides itself, common and protocol (DESIGN, "Rooms"). */
const rooms = {
  compile: [],
  model: ['compile'],
  tasks: [],
  training: ['model', 'tasks', 'compile'],
  analysis: ['model', 'tasks', 'training', 'compile'],
  store: ['model'],
  engine: ['compile', 'model', 'tasks', 'training', 'analysis', 'store'],
  cli: ['compile', 'model', 'tasks', 'training', 'analysis', 'store', 'engine'],
  extension: [],
  webview: [],
};

const allowed = [
  { from: 'protocol', to: ['common'] },
  ...Object.entries(rooms).map(([from, to]) => ({ from, to: ['common', 'protocol', ...to] })),
];

const nodeGlobals = [
  'Buffer', 'URL', 'clearInterval', 'clearTimeout', 'console', 'fetch', 'performance', 'process', 'setInterval', 'setTimeout',
];

export default typescript.config(
  { ignores: ['dist/', 'node_modules/', '.vscode-test/', 'test-results/', 'reports/', 'coverage/'] },
  javascript.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map(name => [name, 'readonly'])) },
  },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [...typescript.configs.recommended],
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.mts'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'eqeqeq': 'error',
      // Texts from outside are cleaned of control characters.
      'no-control-regex': 'off',
    },
  },
  {
    // A suppressed rule is a rule that does not hold.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': [
        { type: 'webview', pattern: 'webview' },
        ...['common', 'protocol', ...Object.keys(rooms)].filter(room => room !== 'webview').map(room => ({ type: room, pattern: `src/${room}` })),
      ],
      'boundaries/dependency-nodes': ['import', 'export', 'dynamic-import', 'require'],
      'import/resolver': { node: { extensions: ['.ts', '.mjs', '.js'] } },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'boundaries/dependencies': ['error', {
        default: 'disallow',
        message: '{{from.type}} may not import from {{to.type}} (DESIGN, "Rooms").',
        policies: allowed.map(({ from, to }) => ({ from: { element: { type: from } }, allow: { to: { element: { type: [from, ...to] } } } })),
      }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    // Where a process begins there may be nobody else to tell.
    files: ['src/cli/**/*.ts', 'src/engine/main.ts', 'src/engine/trainer.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    ignores: ['src/extension/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [{ name: 'vscode', message: 'Only src/extension may import vscode.' }] }] },
  },
  {
    // Which take links apart that names from outside may hold.
    files: ['src/extension/**/*.ts'],
    ignores: ['src/extension/notifications.ts'],
    rules: {
      'no-restricted-properties': ['error', ...['showInformationMessage', 'showWarningMessage', 'showErrorMessage', 'setStatusBarMessage', 'withProgress'].map(property => (
        { property, message: 'Messages pass through src/extension/notifications.' }))],
    },
  },
);
