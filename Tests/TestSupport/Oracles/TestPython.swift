import Foundation

/// The Python of the test set-up, which has pyHanko and signxml.
public enum TestPython {
    /// `SES_TEST_PYTHON`, or the one that `scripts/setup --test` makes.
    public static let path =
        ProcessInfo.processInfo.environment["SES_TEST_PYTHON"] ?? TestMaterial.project + "/.build/python/bin/python3"

    /// Runs a script of `Tests/Fixtures`.
    public static func run(_ script: String, _ arguments: [String], within limit: Duration = .seconds(60)) async throws
        -> String
    {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw HarnessError("there is no \(path); run scripts/setup --test, or name a Python in SES_TEST_PYTHON")
        }
        let file = TestMaterial.fixtures + "/" + script
        let run = try await RunningProgram.run(path, [file] + arguments, asRoot: true, within: limit)
        guard run.status == 0 else { throw HarnessError("\(script): \(run)") }
        return run.output
    }
}
