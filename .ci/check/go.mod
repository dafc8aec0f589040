module github.com/gnomon-sensor/gnomon/.ci/check

go 1.26.0
