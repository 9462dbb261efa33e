"""Pictures about pictures: sheets, histograms, clouds."""
