import Glibc

enum NamedPipe {
    static func make(at path: String) -> Bool { mkfifo(path, 0o600) == 0 }
}

enum FileMode {
    static func set(_ mode: mode_t, of path: String) -> Bool { chmod(path, mode) == 0 }
}
