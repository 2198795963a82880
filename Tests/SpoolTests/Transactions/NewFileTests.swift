import Foundation
import Glibc
import TestSupport
import Testing

@testable import Spool

@Suite("New files of the spool")
struct NewFileTests {
    enum Occupant: String, CaseIterable, Sendable {
        case file, link, danglingLink = "link to nothing"
    }

    @Test("are never made in the place of something that is there already", arguments: Occupant.allCases)
    func exclusive(_ occupant: Occupant) throws {
        let scratch = try ScratchDirectory()
        let path = scratch.file("there")
        try scratch.write(Array("somebody's own".utf8), to: "kept")
        switch occupant {
        case .file: try scratch.write(Array("somebody's own".utf8), to: "there")
        case .link: try #require(symlink(scratch.file("kept"), path) == 0)
        case .danglingLink: try #require(symlink(scratch.file("nothing"), path) == 0)
        }
        let directory = try Directory(path: scratch.path)
        let error = #expect(throws: SpoolError.self) { _ = try directory.createFile("there", mode: 0o600) }
        #expect(error?.errno == EEXIST)
        #expect(
            try TestMaterial.octets(occupant == .file ? path : scratch.file("kept")) == Array("somebody's own".utf8))
        #expect(!FileManager.default.fileExists(atPath: scratch.file("nothing")))
        _ = try directory.createFile("new", mode: 0o600)
    }
}
