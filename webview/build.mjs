import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const path = name => fileURLToPath(new URL(name, import.meta.url));

/** Plotly's registry imports the style sheet of a map library that no figure uses: 65 KB. */
const withoutMapStyles = {
  name: 'without-map-styles',
  setup(build) {
    build.onLoad({ filter: /maplibre-gl\.css$/ }, () => ({ contents: '', loader: 'css' }));
  },
};

/**
 * The page's policy refuses style attributes (superscripts and unsmoothed heatmap cells would be lost) but not styles that
 * a script sets, so Plotly's d3 is made to set them that way.
 */
const stylesThroughScript = {
  name: 'styles-through-script',
  setup(build) {
    build.onLoad({ filter: /@plotly.d3.d3\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const constant = /(function attrConstant\(\) \{\s*)this\.setAttribute\(name, value\);/;
      if (!constant.test(source)) return { errors: [{ text: 'd3 has changed: see how it sets style attributes now' }] };
      return { contents: source.replace(constant, '$1name === "style" ? this.style.cssText = value : this.setAttribute(name, value);'), loader: 'js' };
    });
  },
};

/**
 * esbuild's options for the panel, for the product and for its tests alike: dist/panel.js, panel.css, panel.html and
 * codicon.ttf.
 * @type {import('esbuild').BuildOptions}
 */
export const panelBuildOptions = {
  entryPoints: [
    { in: path('main.ts'), out: 'panel' },
    { in: path('index.html'), out: 'panel' },
  ],
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'chrome120',
  minify: true,
  // Plotly's dependencies still expect Node's name for the global object.
  define: { global: 'window' },
  loader: { '.html': 'copy', '.ttf': 'file' },
  assetNames: '[name]',
  plugins: [withoutMapStyles, stylesThroughScript],
  legalComments: 'none',
};
