import Plotly from 'plotly.js/lib/core';
import bar from 'plotly.js/lib/bar';
import heatmap from 'plotly.js/lib/heatmap';

// The core brings scatter; histograms are drawn as heatmaps of counts.
Plotly.register([bar, heatmap]);

export { Plotly };
