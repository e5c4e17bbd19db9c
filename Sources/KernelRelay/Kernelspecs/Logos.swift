import RelayLink

/// The project's mark, as Jupyter shows it. Drawn by `Tools/draw-logos`, which writes this file.
enum Logos {
    /// By the names that Jupyter looks for.
    static var files: [(name: String, bytes: [UInt8])] {
        [
            ("logo-32x32.png", Base64.decode(small) ?? []), ("logo-64x64.png", Base64.decode(large) ?? []),
            ("logo-svg.svg", Base64.decode(drawing) ?? []),
        ]
    }

    private static let small = """
        iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAA3ElEQVR42u1VuQ3DMAz0BlohTaog0B7pU6vNB3gEjqI+VTbQ\
        CAbSBx5BIzgsKIOBKdmppIIHHNQQdyeSlrtOoVAoWsTh8bLIHgl02n81PvedRfZIoNNuNQ7ISWDYEoSMA3ISGLJByDxmzBNj\
        KQSZx4x5YlyEQFEjmHsagRdCGMHcCOaeRuCFEIYHgNIthe6AEABKtxS6A9xgYOIuMyKXao6353g6X4Dzfd2PTNxlRuRYzcDF\
        5xavLOlch6Y/5C1eWdJlXQsBqo+g+hLW/QyrP0RNPMVN/IwUCoWiBr5knSVvWs6O/QAAAABJRU5ErkJggg==
        """

    private static let large = """
        iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAABoElEQVR42u2ZvW3DMBBGvYFWSJEuAQh4AfbpM0KC/AEcgSNo\
        g2iANCnTeQQVqQOPoBEUCjgHhkCeSVFu4veArxElgd/57kjRmw0AAAAAAAAAAADEuHn7NEE+aBc0BI2iQa5NY+bc8/h5vTJB\
        PmgXNASNokGuTWNmTeNWDI6Zmu61ZzBuxeCYqeleW2O8CWoLjM81PdusYLwJaguMzzU92ywx31eYP6ivCYKY7yvMH9RnB2FF\
        81VBWNF8WRAq0z5ZDgsC0K5o/q8cchqeZmQf5I67vawOTsa0Z21hw9OM7IPccbeX1cHJmPas1QKgdftOS2UpnU5bHQoCoHX7\
        TktlKZ1OWx20dT5pvqCBakEwmet80nxBELUgmNjEvZL2TeEKkioHnzFxr6R9U9hEU+XgS9LfLdhDuNi7to/v4939k6qvh23q\
        V3MLGqnLLoPZ9rYobXPL6fbl42QAvp+v89N2eTkNsUlH67ZiJxl936kApOq2YjOV9z4CQAnQBC9+GbzsjdDFb4X5GOJzmAMR\
        jsQ4FOVYnD9GAAAAAAAAAAAA/jm/2KrhfmEwhJEAAAAASUVORK5CYII=
        """

    private static let drawing = """
        PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA2NCA2NCIgd2lkdGg9IjY0IiBo\
        ZWlnaHQ9IjY0Ij4KPHRpdGxlPktlcm5lbFJlbGF5PC90aXRsZT4KPHBhdGggZD0iTTI1IDMySDM5IiBzdHJva2U9IiM0YTU1\
        NjgiIHN0cm9rZS13aWR0aD0iNiIvPgo8ZyBmaWxsPSJub25lIiBzdHJva2Utd2lkdGg9IjYiPgo8Y2lyY2xlIGN4PSIxNSIg\
        Y3k9IjMyIiByPSIxMCIgc3Ryb2tlPSIjMmI2Y2IwIi8+CjxjaXJjbGUgY3g9IjQ5IiBjeT0iMzIiIHI9IjEwIiBzdHJva2U9\
        IiNkZDZiMjAiLz4KPC9nPgo8L3N2Zz4K
        """
}
