import Foundation

/// The results in composed mails as other readers see them: Python's email package, and html5lib for HTML.
public struct BannerReading: Sendable, Decodable {
    public struct Page: Sendable, Decodable {
        /// Elements in the page that could hide, cover or recolour what stands beside them.
        public let suspects: [String]
        /// The number of blocks of the body's own children that hold the reference.
        public let banners: Int
        /// The number of times the reference stands in the page.
        public let total: Int
        /// True if nothing stands before, or behind, the banner.
        public let isFirst: Bool
        public let isLast: Bool
        /// The banner's text.
        public let words: String
        /// For each element of the banner its name, what its style fails to secure, and attributes beside style.
        public let inner: [[String]]
    }

    /// The names of the header's fields.
    public let fields: [String]
    /// Type and file name of each part, messages within not entered.
    public let parts: [[String]]
    public let pages: [Page]
    /// The text/plain parts.
    public let texts: [String]
    public let defects: [String]

    /// - Parameter reference: Stands in the result, and nowhere else.
    public static func of(_ messages: [[UInt8]], reference: String) async throws -> [BannerReading] {
        let scratch = try ScratchDirectory()
        for (index, message) in messages.enumerated() { try scratch.write(message, to: "\(index)") }
        let python = TestPython.path
        let run = try await RunningProgram.run(
            python,
            [TestMaterial.fixtures + "/python/html_oracle.py", scratch.path, "\(messages.count)", reference],
            asRoot: true)
        guard run.status == 0 else {
            throw HarnessError(
                "\(python) needs html5lib; scripts/setup installs it, SES_TEST_PYTHON names another: \(run)")
        }
        return try run.output.split(separator: "\n").map {
            try JSONDecoder().decode(BannerReading.self, from: Data($0.utf8))
        }
    }
}
