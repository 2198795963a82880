import Foundation

/// The places of test data.
public enum TestMaterial {
    /// The project's top folder.
    public static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// The project's own fixtures.
    public static let fixtures = project + "/Tests/Fixtures"

    /// The third-party corpora and schemas that stand beside the project, never in it; nil where they are absent.
    public static let shared: String? = {
        let path =
            ProcessInfo.processInfo.environment["SES_SHARED"]
            ?? URL(fileURLWithPath: project).deletingLastPathComponent().path + "/shared"
        return FileManager.default.fileExists(atPath: path + "/corpora/README.md") ? path : nil
    }()

    public static func octets(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The rows of a tab-separated table with a title row, as dictionaries.
    public static func table(_ path: String) throws -> [[String: String]] {
        let lines = String(decoding: try octets(path), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: true)
        guard let titles = lines.first?.split(separator: "\t", omittingEmptySubsequences: false) else { return [] }
        return lines.dropFirst().map { line in
            Dictionary(
                uniqueKeysWithValues: zip(titles, line.split(separator: "\t", omittingEmptySubsequences: false)).map {
                    (String($0), String($1))
                })
        }
    }
}
