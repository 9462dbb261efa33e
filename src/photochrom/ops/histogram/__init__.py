"""Histograms: counting, spreading and matching them."""
